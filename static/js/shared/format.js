/** Writes numbers and times as text. Pure. */
import { compoundName } from "./affect.js";
import { formatNumber, language, locale, plural, t } from "./words.js";

const ABSENT = "–";
const PERCENT = new Intl.NumberFormat(language, { style: "percent" });
const EMOTION_NAMES = {
  angry: t("angry"),
  disgust: t("disgust"),
  fear: t("fear"),
  happy: t("happy"),
  sad: t("sad"),
  surprise: t("surprise"),
  neutral: t("neutral"),
  unsure: t("unsure"),
  contempt: t("contempt"),
};

/** Why a face is unsure, as fer_web/inference/certainty.py names it. */
const REASON_TEXTS = {
  mouth_covered: t("mouth covered"),
  eyes_covered: t("eyes covered"),
  turned: t("turn to the camera"),
  blurred: t("hold still"),
  dark: t("too dark"),
  small: t("come closer"),
  cut: t("move into the picture"),
};

/** The same said afterwards, where nothing can be done any more. */
const REASON_FACTS = {
  ...REASON_TEXTS,
  turned: t("turned away"),
  blurred: t("blurred"),
  small: t("too small"),
  cut: t("cut off"),
};

/** @param {string} reason of the wire @returns {string} */
export const reasonFact = (reason) => REASON_FACTS[reason] ?? reason;

/** @param {string | null | undefined} reason of the wire @returns {string} empty where none is known */
export const reasonText = (reason) => REASON_TEXTS[reason] ?? "";

/**
 * What an unsure face may be: "sad or neutral", and why it is unsure: "sad or neutral, too dark".
 *
 * @param {{label: string, rival?: string | null, reason?: string | null}} face
 */
export function describeDoubt({ label, rival, reason }) {
  const guess = rival
    ? t("{label} or {rival}", { label: emotionName(label), rival: emotionName(rival) })
    : emotionName(label);
  const why = reasonText(reason);
  return why ? `${guess}, ${why}` : guess;
}

/**
 * What a face shows: its label, or what the label and a second expression are together.
 *
 * @param {{label: string, sure: boolean, second?: string}} face
 * @param {boolean} [hasSecond] whether a second expression is shown
 * @returns {string} in small letters
 */
export const expressionName = ({ label, sure, second }, hasSecond = true) =>
  hasSecond && sure && second ? compoundName(label, second) : emotionName(label);

/** @param {string} label of the wire @returns {string} as people read it, in small letters */
export const emotionName = (label) => EMOTION_NAMES[label] ?? label;

/**
 * A probability as people read it; never "100%", which no network can promise.
 *
 * @param {number} share 0-1
 */
export function formatPercent(share) {
  if (!Number.isFinite(share)) return ABSENT;
  return share >= 0.995
    ? `>${PERCENT.format(0.99)}`
    : PERCENT.format(Math.round(share * 100) / 100);
}

/**
 * A share that is counted, unlike a probability, may well be all of it.
 *
 * @param {number} share 0-1
 */
export const formatPercentage = (share) =>
  share >= 0.995 && share <= 1 ? PERCENT.format(1) : formatPercent(share);

/** @param {number | null} ms */
export function formatMs(ms) {
  if (!Number.isFinite(ms)) return ABSENT;
  if (ms >= 10_000) return `${Math.round(ms / 1000)} s`;
  return ms < 10 ? `${oneDecimal(ms)} ms` : `${Math.round(ms)} ms`;
}

/** @param {number | null} perSecond */
export const formatRate = (perSecond) =>
  Number.isFinite(perSecond) ? oneDecimal(perSecond) : ABSENT;

/** @param {number} number */
export const oneDecimal = (number) =>
  formatNumber(number, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (!Number.isFinite(bytes)) return ABSENT;
  if (bytes < 1000) return `${bytes} B`;
  const unit = ["kB", "MB", "GB"].find((_, i) => bytes < 999_500 * 1000 ** i) ?? "GB";
  const count = bytes / { kB: 1e3, MB: 1e6, GB: 1e9 }[unit];
  return `${count < 100 ? oneDecimal(count) : Math.round(count)} ${unit}`;
}

/** @param {number} count */
export const countFaces = (count) => plural(count, "{count} face", "{count} faces");

/**
 * A session without a name is called by its day and time, in the reader's language and time zone.
 *
 * @param {{name: string, started_at: string}} session started_at: ISO 8601
 * @returns {string} such as "Monday, 30 November 2026 at 14:05"
 */
export const sessionName = ({ name, started_at }) => name || dayAndTime(new Date(started_at));

const dayAndTime = (date) =>
  Number.isNaN(date.getTime())
    ? t("Untitled session")
    : date.toLocaleString(locale, { dateStyle: "full", timeStyle: "short" });

/** @param {string} text */
export const capitalise = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * @param {number} seconds
 * @returns {string} such as 0:07, 12:30 or 1:02:03
 */
export function formatDuration(seconds) {
  if (!Number.isFinite(seconds)) return ABSENT;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    two(whole % 60),
  ];
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/**
 * A face's label as the overlay shows it.
 *
 * @param {{label: string, confidence: number, sure: boolean, second?: string, rival?: string | null,
 *   reason?: string | null}} face
 * @param {boolean} [hasPercentage]
 * @param {boolean} [hasSecond]
 */
export function describeFace(face, hasPercentage = true, hasSecond = true) {
  if (!face.sure) return t("Unsure: {guess}", { guess: describeDoubt(face) });
  const name = capitalise(expressionName(face, hasSecond));
  return hasPercentage ? `${name} ${formatPercent(face.confidence)}` : name;
}

/**
 * What a screen reader hears: no percentages, which change all the time.
 *
 * @param {readonly {id: number, label: string, sure: boolean, reason?: string | null}[]} faces
 */
export function announceFaces(faces) {
  if (faces.length === 0) return t("No face in view");
  const says = (face) => {
    if (face.sure) return emotionName(face.label);
    const why = reasonText(face.reason);
    return why ? `${t("unsure")}, ${why}` : t("unsure");
  };
  if (faces.length === 1) return t("Expression: {name}", { name: says(faces[0]) });
  return `${countFaces(faces.length)}: ${faces.map(says).join(", ")}`;
}

/**
 * @param {Date} date
 * @returns {string} such as expressions-2026-05-01-093005.png, in local time
 */
export const snapshotName = (date) => momentName(date, "png");

/**
 * @param {Date} date
 * @param {string} ending
 * @returns {string} such as expressions-2026-05-01-093005.webm, in local time
 */
export function momentName(date, ending) {
  const two = (number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `expressions-${day}-${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("")}.${ending}`;
}

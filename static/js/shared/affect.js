/**
 * Derives from the seven scores what is more than the label. Pure.
 *
 * The constants are those of fer_web/inference/affect.py; a test compares them. docs/trust.md tells
 * where they come from.
 *
 * @typedef {{valence: number, arousal: number}} Affect -1 to 1: unpleasant to pleasant, calm to
 *   active
 */
import { formatNumber, t } from "./words.js";

/** @type {Readonly<Record<string, readonly [number, number]>>} valence and arousal */
export const POSITIONS = Object.freeze({
  angry: [-0.51, 0.59],
  disgust: [-0.6, 0.35],
  fear: [-0.64, 0.6],
  happy: [0.81, 0.51],
  sad: [-0.63, -0.27],
  surprise: [0.4, 0.67],
  neutral: [0, 0],
});

/** Nearer to nothing than this is called neither pleasant nor unpleasant, neither calm nor active. */
const NEITHER = 0.1;

/**
 * What two expressions are together, by the names of Du, Tao and Martinez (2014), "Compound facial
 * expressions of emotion", PNAS 111; three pairs have none there. Keys in the order of the model.
 */
const COMPOUNDS = {
  "angry disgust": t("angrily disgusted"),
  "angry fear": t("fearfully angry"),
  "angry happy": t("happy and angry"),
  "angry sad": t("sadly angry"),
  "angry surprise": t("angrily surprised"),
  "disgust fear": t("fearfully disgusted"),
  "disgust happy": t("happily disgusted"),
  "disgust sad": t("sadly disgusted"),
  "disgust surprise": t("disgustedly surprised"),
  "fear happy": t("happy and fearful"),
  "fear sad": t("sadly fearful"),
  "fear surprise": t("fearfully surprised"),
  "happy sad": t("happy and sad"),
  "happy surprise": t("happily surprised"),
  "sad surprise": t("sadly surprised"),
};

/** @param {Readonly<Record<string, number>>} scores emotion -> 0-1, in sum 1 @returns {Affect} */
export function affectOf(scores) {
  let [valence, arousal] = [0, 0];
  for (const [emotion, [x, y]] of Object.entries(POSITIONS)) {
    valence += (scores[emotion] ?? 0) * x;
    arousal += (scores[emotion] ?? 0) * y;
  }
  return { valence, arousal };
}

/**
 * @param {Readonly<Record<string, number>>} scores
 * @returns {number} 0-1: all that is not neutral's
 */
export const intensityOf = ({ neutral = 0 }) => Math.min(1, Math.max(0, 1 - neutral));

/**
 * @param {string} label
 * @param {string} second another expression
 * @returns {string} such as "happily surprised", in small letters
 */
export const compoundName = (label, second) => COMPOUNDS[[label, second].sort().join(" ")] ?? label;

/** @param {number} value -1 to 1 @returns {string} with its sign and two decimals */
export const formatSigned = (value) =>
  formatNumber(value, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
    signDisplay: "exceptZero",
  });

/**
 * @param {Affect} affect
 * @returns {string} the place on the circumplex in words, such as "pleasant, active"
 */
export function describeAffect({ valence, arousal }) {
  const words = [
    side(valence, t("unpleasant"), t("pleasant")),
    side(arousal, t("calm"), t("active")),
  ].filter(Boolean);
  return words.length > 0 ? words.join(", ") : t("in the middle");
}

const side = (value, low, high) => (Math.abs(value) < NEITHER ? "" : value < 0 ? low : high);

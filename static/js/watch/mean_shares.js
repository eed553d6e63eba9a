/** Averages the last minute of everybody in view. Pure. */
import { emotionName, formatPercent } from "../shared/format.js";
import { t } from "../shared/words.js";

/**
 * @typedef {Record<string, number>} Shares emotion -> 0-1, in sum 1
 *
 * @param {readonly import("../shared/protocol.js").Face[]} faces
 * @param {readonly string[]} emotions
 * @returns {Shares | null} the mean of all faces; null without any
 */
export function meanShares(faces, emotions) {
  if (faces.length === 0) return null;
  const sum = (emotion) => faces.reduce((total, { scores }) => total + scores[emotion], 0);
  return Object.fromEntries(emotions.map((emotion) => [emotion, sum(emotion) / faces.length]));
}

/**
 * @param {readonly (Shares | null)[]} steps
 * @param {readonly string[]} emotions
 * @returns {string} the two largest shares of the steps with somebody in view
 */
export function describeMinute(steps, emotions) {
  const seen = steps.filter((step) => step !== null);
  if (seen.length === 0) return t("Nobody was in view");
  const mean = (emotion) => seen.reduce((total, step) => total + step[emotion], 0) / seen.length;
  const ranked = emotions
    .map((emotion) => ({ emotion, share: mean(emotion) }))
    .sort((a, b) => b.share - a.share);
  return ranked
    .slice(0, 2)
    .filter(({ share }) => share >= 0.05)
    .map(({ emotion, share }) => `${emotionName(emotion)} ${formatPercent(share)}`)
    .join(", ");
}

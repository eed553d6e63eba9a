/**
 * This module reads what the server tells this page beside what every page is told: `<meta
 * name="fer-options">`.
 *
 * @typedef {object} AnalyzeOptions
 * @property {readonly string[]} emotions names in model order
 * @property {boolean} hasHeatmaps
 * @property {string} noHeatmaps why not, for people
 * @property {number} maxImageBytes
 * @property {number} maxVideoBytes
 * @property {Readonly<Record<string, readonly string[]>>} folderNames that say each expression, in
 *   lower case
 */
import { parseOptions } from "../shared/options.js";

/**
 * @param {string | null | undefined} json
 * @returns {Readonly<AnalyzeOptions>}
 * @throws {TypeError} the page and the server do not fit together
 */
export function parseAnalyzeOptions(json) {
  const { emotions, model } = parseOptions(json);
  const raw = JSON.parse(json);
  const bad = ["max_image_bytes", "max_video_bytes"].find((name) => !(raw[name] > 0));
  if (bad) throw new TypeError(`fer-options: ${bad} must be a positive number, got ${raw[bad]}.`);
  if (!emotions.every((emotion) => Array.isArray(raw.folder_names?.[emotion]))) {
    throw new TypeError("fer-options: folder_names must name every expression. Reload the page.");
  }
  // The seven in model order, then contempt.
  const labels = [...new Set([...emotions, ...Object.keys(raw.folder_names)])];
  const folderNames = Object.fromEntries(labels.map((label) => [label, raw.folder_names[label]]));
  return Object.freeze({
    emotions,
    hasHeatmaps: model.heatmaps !== null,
    noHeatmaps: model.noHeatmaps,
    maxImageBytes: raw.max_image_bytes,
    maxVideoBytes: raw.max_video_bytes,
    folderNames,
  });
}

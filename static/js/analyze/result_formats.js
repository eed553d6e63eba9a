/**
 * Writes the results of all pictures into one file. Pure.
 *
 * The table has the columns of the predict command (fer_web/analysis/stills/still_formats.py).
 */

import { affectOf, intensityOf } from "../shared/affect.js";

const AFFECT = ["valence", "arousal", "intensity", "second"];

/** A spreadsheet would take these for the start of a formula (CWE-1236), wide forms too. */
const FORMULA_START = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * @param {readonly import("./image_queue.js").ImageItem[]} items
 * @param {readonly string[]} emotions in model order
 * @returns {string} a row for each face, one for each picture without, one for each error
 */
export function csvOf(items, emotions) {
  const head = ["file", "width", "height", "face", "left", "top", "face_width", "face_height"];
  const columns = [...head, ...emotions, "label", "confidence", "sure", "error", ...AFFECT];
  const rows = items.flatMap((item) => rowsOf(item, emotions, columns.length));
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function rowsOf({ name, result, error }, emotions, width) {
  const blank = (count) => Array(count).fill("");
  if (error)
    return [[name, ...blank(width - 2 - AFFECT.length), error.message, ...AFFECT.map(() => "")]];
  if (!result) return [];
  const start = [name, result.width, result.height];
  if (result.faces.length === 0) return [[...start, ...blank(width - start.length)]];
  return result.faces.map(({ id, boxPx, scores, label, confidence, sure, second }) => {
    const shares = emotions.map((emotion) => scores[emotion].toFixed(5));
    const { valence, arousal } = affectOf(scores);
    const derived = [valence, arousal, intensityOf(scores)].map((value) => value.toFixed(5));
    const shown = [label, confidence.toFixed(5), sure ? 1 : 0, ""];
    return [...start, id, ...boxPx, ...shares, ...shown, ...derived, second ?? ""];
  });
}

function cell(value) {
  const text = String(value);
  const safe = typeof value === "string" && FORMULA_START.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * @param {readonly import("./image_queue.js").ImageItem[]} items
 * @returns {string} a list with an object for each picture: the server's answer, or its error, with
 *   the file's name
 */
export function jsonOf(items) {
  const objects = items
    .filter(({ result, error }) => result || error)
    .map(({ name, result, error }) =>
      error ? { file: name, error } : { ...result.wire, file: name },
    );
  return `${JSON.stringify(objects, null, 1)}\n`;
}

/** @param {string} name of a picture @returns {string} of its copy with boxes, which is a JPEG */
export const annotatedName = (name) => `${stemOf(name)}-faces.jpg`;

/** @param {string} name @returns {string} without its ending */
export const stemOf = (name) => name.replace(/(?<=.)\.[^.]*$/, "") || "picture";

/**
 * @param {readonly string[]} names
 * @returns {string[]} each once: a second a.jpg becomes a-2.jpg; no name leads to another folder
 */
export function uniqueNames(names) {
  const taken = new Set();
  return names.map((given) => {
    const name = given.replace(/[/\\]/g, "_");
    const [, stem, ending] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let free = name;
    for (let count = 2; taken.has(free.toLowerCase()); count += 1)
      free = `${stem}-${count}${ending ?? ""}`;
    taken.add(free.toLowerCase());
    return free;
  });
}

/**
 * Tells which files are pictures and which are videos, and which labels a folder's pictures have.
 * Pure.
 */
import { formatBytes } from "../shared/format.js";
import { t } from "../shared/words.js";

/** Browsers know no type for tapes and cards of camcorders, or a wrong one; video_kinds.py has the same. */
const VIDEO_NAME =
  /\.(mp4|m4v|mov|qt|webm|mkv|avi|divx|ogv|flv|f4v|wmv|asf|mpe?g|mpe|m2v|vob|m?ts|m2ts?|mod|tod|dv|dif|mxf|3gp|3g2)$/i;
const IMAGE_NAME = /\.(jpe?g|jpe|jfif|png|webp|bmp|gif|tiff?|pgm|ppm|avif|hei[cf])$/i;
/** Left in folders by systems, wanted by nobody. */
const LEFT_BY_SYSTEMS = new Set(["thumbs.db", "desktop.ini"]);
/** Names of a data set's parts: a test of several at once would say nothing about any. */
const SPLITS = new Set(["train", "training", "test", "testing", "val", "valid", "validation"]);

/**
 * @typedef {{path: string, file: File}} FoundFile path: from the folder that was chosen or dropped,
 *   with "/"
 * @typedef {{path: string, file: File, expression: string}} LabelledFile path: <label>/<name>, as
 *   it is sent
 *
 * @typedef {object} LabelledFolder
 * @property {string} name of the folder
 * @property {LabelledFile[]} images
 * @property {{expression: string, count: number}[]} counts of the images, in the order of the names
 * @property {{name: string, count: number}[]} unlabelled folders that name no expression, with
 *   their images
 * @property {File[]} plain images without a label
 * @property {number} skipped files that are no images by their names
 * @property {string} problem why nothing can be tested, "" where it can
 */

/**
 * What a file is by its type, else by its name. What is neither goes the way of pictures, where the
 * server says why not.
 *
 * @param {{name: string, type?: string}} file
 * @returns {"image" | "video"}
 */
export function kindOf({ name, type = "" }) {
  if (type.startsWith("image/")) return "image";
  return type.startsWith("video/") || VIDEO_NAME.test(name) ? "video" : "image";
}

/** @param {string} path */
function isImageName(path) {
  return IMAGE_NAME.test(path);
}

/**
 * Why a file is not even sent, where that is known beforehand.
 *
 * @param {{name: string, size: number}} file
 * @param {number} maxBytes
 * @returns {{code: string, message: string, retryable: boolean} | null}
 */
export function refusalOf({ size }, maxBytes) {
  if (size === 0)
    return {
      code: "empty",
      message: t("There is nothing in this file. Save or copy it again."),
      retryable: false,
    };
  if (size <= maxBytes) return null;
  const message = t(
    "The file has {size}; {allowed} are allowed. Save it smaller and add it again.",
    { size: formatBytes(size), allowed: formatBytes(maxBytes) },
  );
  return { code: "too_large", message, retryable: false };
}

/**
 * Finds the labelled images of a folder: the nearest folder above an image that names an expression
 * is its label.
 *
 * @param {readonly FoundFile[]} found
 * @param {Readonly<Record<string, readonly string[]>>} folderNames of each expression, in lower
 *   case
 * @returns {LabelledFolder}
 */
export function readLabelledFolder(found, folderNames) {
  const expressionOf = new Map(
    Object.entries(folderNames).flatMap(([label, names]) => names.map((name) => [name, label])),
  );
  const visible = found.filter(({ path }) => !isHidden(path));
  const images = visible.filter(({ path }) => isImageName(path));
  const labelled = images.map((each) => ({ ...each, ...placeOf(each.path, expressionOf) }));
  const known = labelled.filter(({ expression }) => expression !== null);
  const nameless = labelled.filter(({ expression }) => expression === null);
  const unlabelled = countBy(nameless.map(({ folder }) => folder));
  const byExpression = new Map(
    countBy(known.map(({ expression }) => expression)).map(({ name, count }) => [name, count]),
  );
  return {
    name: visible[0]?.path.split("/")[0] ?? "",
    images: known.map(({ file, sentPath, expression }) => ({ file, path: sentPath, expression })),
    counts: Object.keys(folderNames)
      .filter((expression) => byExpression.has(expression))
      .map((expression) => ({ expression, count: byExpression.get(expression) })),
    unlabelled,
    plain: nameless.map(({ file }) => file),
    skipped: visible.length - images.length,
    problem: problemOf({ known, unlabelled, folderNames }),
  };
}

function isHidden(path) {
  const parts = path.split("/");
  return (
    parts.some((part) => part.startsWith(".")) || LEFT_BY_SYSTEMS.has(parts.at(-1).toLowerCase())
  );
}

function placeOf(path, expressionOf) {
  const parts = path.split("/");
  const folders = parts.slice(0, -1);
  const at = folders.findLastIndex((folder) => expressionOf.has(folder.trim().toLowerCase()));
  if (at < 0) return { expression: null, folder: folders.join("/"), sentPath: path, above: "" };
  const label = folders[at].trim();
  // The server takes an image's own folder for its label: folders below it become part of the name.
  const name = parts.slice(at + 1).join("-");
  return {
    expression: expressionOf.get(label.toLowerCase()),
    folder: label,
    sentPath: `${label}/${name}`,
    above: folders.slice(0, at).join("/"),
  };
}

function problemOf({ known, unlabelled, folderNames }) {
  const parts = new Set(
    known
      .map(({ above }) => above.split("/").at(-1).toLowerCase())
      .filter((name) => SPLITS.has(name)),
  );
  if (parts.size > 1)
    return t("The folder holds several parts of a data set ({parts}). Choose one of them.", {
      parts: [...parts].join(", "),
    });
  if (known.length > 0) return "";
  if (unlabelled.length === 0) return t("There is no picture in this folder.");
  const numbered = unlabelled.every(({ name }) => /(^|\/)\d+$/.test(name));
  if (numbered)
    return t(
      "The folders are numbered, and data sets number the expressions differently. Rename them to the expressions.",
    );
  return t("No folder in it names an expression. It needs folders called {names}.", {
    names: Object.keys(folderNames).join(", "),
  });
}

function countBy(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count }));
}

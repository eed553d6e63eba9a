/**
 * Reads from the address what the overlay shows. Pure.
 *
 * @typedef {object} OverlayQuery
 * @property {boolean} boxes
 * @property {boolean} labels
 * @property {boolean} percentages beside the labels
 * @property {boolean} bars
 * @property {boolean} isMirrored
 * @property {number} scale of labels and bars
 * @property {readonly string[]} problems what of the address was not understood, and what holds in
 *   its place
 */

const PARTS = ["boxes", "labels", "percentages", "bars"];
const USUAL = ["boxes", "labels", "percentages"];
const [SMALLEST, LARGEST] = [0.5, 3];

/** @param {string} search of the address @returns {Readonly<OverlayQuery>} */
export function parseOverlayQuery(search) {
  const query = new URLSearchParams(search);
  const problems = [];
  const shown = readParts(query.get("show"), problems);
  const parts = Object.fromEntries(PARTS.map((part) => [part, shown.includes(part)]));
  return Object.freeze({
    .../** @type {{boxes: boolean, labels: boolean, percentages: boolean, bars: boolean}} */ (
      parts
    ),
    isMirrored: readMirror(query.get("mirror"), problems),
    scale: readScale(query.get("scale"), problems),
    problems: Object.freeze(problems),
  });
}

function readParts(text, problems) {
  if (text === null) return USUAL;
  const named = text.split(",").map((part) => part.trim());
  const unknown = named.filter((part) => !PARTS.includes(part));
  if (unknown.length > 0)
    problems.push(
      `show: takes ${PARTS.join(", ")}, got ${JSON.stringify(text)}. The rest is shown.`,
    );
  const known = named.filter((part) => PARTS.includes(part));
  return known.length > 0 ? known : USUAL;
}

/** The live page's links say 1 and 0. */
function readMirror(text, problems) {
  if (text !== null && !["on", "off", "1", "0"].includes(text))
    problems.push(`mirror: takes on or off, 1 or 0, got ${JSON.stringify(text)}. It is off.`);
  return text === "on" || text === "1";
}

function readScale(text, problems) {
  if (text === null) return 1;
  const scale = Number(text);
  if (text.trim() !== "" && scale >= SMALLEST && scale <= LARGEST) return scale;
  problems.push(
    `scale: takes a number from ${SMALLEST} to ${LARGEST}, got ${JSON.stringify(text)}. It is 1.`,
  );
  return 1;
}

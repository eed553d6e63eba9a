/**
 * Draws strips of colour: which expression prevailed when. Unsure is a low line, and nobody is
 * nothing: shape, not hue.
 */
import { capitalise, emotionName } from "../shared/format.js";
import { language, t } from "../shared/words.js";
import { emotionColour } from "../shared/palette.js";
import { UNSURE } from "../shared/unsure.js";

const UNSURE_FILL = "#7D8798";
const HEIGHT = 4;
const SHORT_GAP_S = 1;

/**
 * @param {HTMLCanvasElement} canvas is given one pixel for each cell
 * @param {readonly (string | null)[]} cells
 */
export function drawStrip(canvas, cells) {
  canvas.width = Math.max(1, cells.length);
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d");
  cells.forEach((cell, x) => {
    if (cell === null) return;
    const height = cell === UNSURE ? 1 : HEIGHT;
    context.fillStyle = cell === UNSURE ? UNSURE_FILL : emotionColour(cell);
    context.fillRect(x, HEIGHT - height, 1, height);
  });
}

/**
 * Stretches of time as equal cells.
 *
 * @param {readonly {from_s: number, to_s: number, label: string}[]} stretches
 * @param {{fromS: number, toS: number, parts: number}} view
 * @returns {(string | null)[]}
 */
export function cellsOf(stretches, { fromS, toS, parts }) {
  const cells = Array(parts).fill(null);
  const place = (atS) => ((atS - fromS) / (toS - fromS)) * parts;
  for (const { from_s, to_s, label } of stretches) {
    const first = Math.max(0, Math.floor(place(from_s)));
    const last = Math.min(parts - 1, Math.ceil(place(to_s)) - 1);
    for (let cell = first; cell <= last; cell += 1) cells[cell] = label;
  }
  return cells;
}

/**
 * Cells shorter than the time between two samples are empty though somebody was there: they show
 * what was before.
 *
 * @param {readonly (string | null)[]} cells
 * @param {number} cellS seconds of one cell
 * @returns {(string | null)[]}
 */
export function bridge(cells, cellS) {
  const bridged = [...cells];
  for (let from = 0; from < cells.length; from += 1) {
    if (cells[from] !== null) continue;
    let to = from;
    while (to < cells.length && cells[to] === null) to += 1;
    const isShort = (to - from) * cellS <= SHORT_GAP_S;
    if (from > 0 && to < cells.length && isShort) bridged.fill(cells[from - 1], from, to);
    from = to;
  }
  return bridged;
}

/**
 * What a strip says to those who cannot see it.
 *
 * @param {readonly (string | null)[]} cells
 */
export function describeStrip(cells) {
  const counts = new Map();
  for (const cell of cells) if (cell !== null) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  if (counts.size === 0) return t("Nobody was seen");
  const order = [...counts].sort((a, b) => b[1] - a[1]).map(([label]) => label);
  const [first, ...rest] = order.slice(0, 3).map(emotionName);
  return rest.length === 0
    ? t("Mostly {first}", { first })
    : t("Mostly {first}, then {rest}", { first, rest: new Intl.ListFormat(language).format(rest) });
}

/** @param {string | null} cell */
export const cellName = (cell) => (cell === null ? t("Nobody") : capitalise(emotionName(cell)));

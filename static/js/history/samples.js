/**
 * Turns samples of a session into columns, and into what a chart draws of them. Pure.
 *
 * @typedef {object} Samples rows ordered by time
 * @property {Float64Array} atS seconds since the session's start
 * @property {Int32Array} face
 * @property {Int8Array} label position in labels
 * @property {Uint8Array} sure 0 or 1
 * @property {Float32Array[]} scores one column for each label
 * @property {readonly string[]} labels
 * @property {number} stepS seconds that each stands for where the server thinned them, else 0
 *
 * @typedef {object} Timeline one row for each point; a row of nulls is a gap, where nobody was seen
 * @property {number[]} atS
 * @property {(number | null)[][]} scores one column for each label
 * @property {(string | null)[]} dominant the label that most samples had, "unsure", or null in a
 *   gap
 * @property {number} binS seconds that one point stands for
 * @property {number} gapS a longer silence is a gap
 */

import { affectOf } from "../shared/affect.js";
import { UNSURE } from "../shared/unsure.js";
import { t } from "../shared/words.js";

/** Faces that are missed for a moment leave no gap. */
const MIN_GAP_S = 1;

/**
 * @param {any} raw the server's columns
 * @param {readonly string[]} labels
 * @returns {Samples}
 * @throws {TypeError} columns are missing or of different lengths
 */
export function parseSamples(raw, labels) {
  const samples = {
    atS: Float64Array.from(raw.at_s),
    face: Int32Array.from(raw.face),
    label: Int8Array.from(raw.label),
    sure: Uint8Array.from(raw.sure, Number),
    scores: labels.map((label) => Float32Array.from(raw.scores[label])),
    labels,
    stepS: raw.step_s ?? 0,
  };
  const { length } = samples.atS;
  const columns = [samples.face, samples.label, samples.sure, ...samples.scores];
  if (columns.some((column) => column.length !== length)) {
    throw new TypeError(t("The server's columns have different lengths. Reload the page."));
  }
  return samples;
}

/**
 * Means of the samples in a window of time, few enough to draw.
 *
 * @param {Samples} samples
 * @param {object} view
 * @param {number | null} view.face null: all faces together
 * @param {number} view.fromS
 * @param {number} view.toS
 * @param {number} view.points at most about so many
 * @param {number} view.sampleHz how often a face was sampled at most
 * @returns {Timeline}
 */
export function buildTimeline(samples, { face, fromS, toS, points, sampleHz }) {
  const binS = Math.max(1 / sampleHz, samples.stepS ?? 0, (toS - fromS) / points);
  const bins = collect(samples, { face, fromS, toS, binS });
  const gapS = Math.max(MIN_GAP_S, 3 / sampleHz, 2.5 * binS);
  const timeline = { atS: [], scores: samples.labels.map(() => []), dominant: [], binS, gapS };
  let lastS = null;
  for (const bin of bins) {
    const atS = bin.sumS / bin.count;
    if (lastS !== null && atS - lastS > gapS)
      push(timeline, (lastS + atS) / 2, null, samples.labels);
    push(timeline, atS, bin, samples.labels);
    lastS = atS;
  }
  return timeline;
}

/**
 * Valence and arousal of what a chart draws: those of the mean scores.
 *
 * @param {Timeline} timeline
 * @param {readonly string[]} labels
 * @returns {(number | null)[][]} two columns
 */
export function affectColumns({ atS, scores }, labels) {
  const rows = atS.map((_time, row) => {
    if (scores[0][row] === null) return null;
    return affectOf(Object.fromEntries(labels.map((label, i) => [label, scores[i][row] ?? 0])));
  });
  return [rows.map((row) => row && row.valence), rows.map((row) => row && row.arousal)];
}

/**
 * Where nobody was seen.
 *
 * @param {Timeline} timeline
 * @param {number} fromS
 * @param {number} toS
 * @returns {number[][]} from, to in seconds, the ends of the window among them
 */
export function gapsOf({ atS, dominant, gapS }, fromS, toS) {
  const edges = [fromS, ...atS.filter((_time, i) => dominant[i] !== null), toS];
  return edges
    .slice(1)
    .map((time, i) => [edges[i], time])
    .filter(([from, to]) => to - from > gapS);
}

/**
 * Stacked to 100 %: each column becomes the sum of itself and all before it.
 *
 * @param {(number | null)[][]} columns
 * @returns {(number | null)[][]}
 */
export function stack(columns) {
  const stacked = columns.map((column) => [...column]);
  for (let row = 0; row < (columns[0]?.length ?? 0); row += 1) {
    const total = columns.reduce((sum, column) => sum + (column[row] ?? 0), 0);
    let sum = 0;
    for (const [i, column] of columns.entries()) {
      sum += column[row] ?? 0;
      stacked[i][row] = column[row] === null || total === 0 ? null : sum / total;
    }
  }
  return stacked;
}

/**
 * The dominant label in equal parts of a window, for strips.
 *
 * @param {Samples} samples
 * @param {{face: number | null, fromS: number, toS: number, parts: number}} view
 * @returns {(string | null)[]} a label, "unsure", or null where nobody was seen
 */
export function dominantParts(samples, { face, fromS, toS, parts }) {
  const binS = (toS - fromS) / parts;
  const cells = Array(parts).fill(null);
  if (!(binS > 0)) return cells;
  for (const bin of collect(samples, { face, fromS, toS, binS })) {
    cells[Math.min(parts - 1, bin.index)] = dominantOf(bin, samples.labels);
  }
  return cells;
}

/**
 * @param {Timeline} timeline
 * @param {number} wantedS
 * @returns {number} row of the nearest point, -1 without any
 */
export function nearestRow({ atS }, wantedS) {
  if (atS.length === 0) return -1;
  const after = lowerBound(atS, wantedS);
  if (after === 0) return 0;
  if (after === atS.length) return after - 1;
  return atS[after] - wantedS < wantedS - atS[after - 1] ? after : after - 1;
}

/** @returns {ReturnType<typeof emptyBin>[]} bins with at least one sample, in the order of time */
function collect({ atS, face: faces, label, sure, scores, labels }, { face, fromS, toS, binS }) {
  const bins = [];
  let bin = null;
  for (let row = lowerBound(atS, fromS); row < atS.length && atS[row] <= toS; row += 1) {
    if (face !== null && faces[row] !== face) continue;
    const index = Math.floor((atS[row] - fromS) / binS);
    if (bin?.index !== index) bins.push((bin = emptyBin(index, labels.length)));
    bin.count += 1;
    bin.sumS += atS[row];
    for (let i = 0; i < labels.length; i += 1) bin.sums[i] += scores[i][row];
    bin.votes[sure[row] ? label[row] : labels.length] += 1;
  }
  return bins;
}

// The last vote is for unsure.
const emptyBin = (index, size) => ({
  index,
  count: 0,
  sumS: 0,
  sums: Array(size).fill(0),
  votes: Array(size + 1).fill(0),
});

function dominantOf({ votes }, labels) {
  return labels[votes.indexOf(Math.max(...votes))] ?? UNSURE;
}

function push(timeline, atS, bin, labels) {
  timeline.atS.push(atS);
  timeline.scores.forEach((column, i) => column.push(bin && bin.sums[i] / bin.count));
  timeline.dominant.push(bin && dominantOf(bin, labels));
}

/** Finds the first row at or after a time. */
function lowerBound(atS, wantedS) {
  let [low, high] = [0, atS.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (atS[middle] < wantedS) low = middle + 1;
    else high = middle;
  }
  return low;
}

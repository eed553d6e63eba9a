/**
 * Who showed what when, in bins that grow with the session: hours take no more memory than minutes.
 * Pure: times are passed in, in milliseconds since the start.
 *
 * @typedef {object} Lane
 * @property {string} key
 * @property {number} ms how long the face was there
 * @property {Float32Array} bins of every bin, how long each label was shown, unsure last
 */
import { UNSURE } from "./unsure.js";

/** What was shown stays shown until the next result, but no longer than this. */
const HOLD_MS = 1000;
/** All who were there for a moment only, when there are more than MAX_LANES. */
export const OTHERS = "others";
const MAX_LANES = 24;
const BINS = 600;
const FIRST_BIN_MS = 250;

export class TimelineLanes {
  #labels;
  /** @type {Map<string, Lane>} */
  #lanes = new Map();
  #binMs = FIRST_BIN_MS;
  #lengthMs = 0;
  #presentMs = 0;
  /** @type {{atMs: number, faces: readonly {key: string, label: string, sure: boolean}[]}} */
  #last = { atMs: 0, faces: [] };
  #folded = new Set();

  /** @param {readonly string[]} labels */
  constructor(labels) {
    this.#labels = labels;
  }

  get lengthMs() {
    return this.#lengthMs;
  }

  /** How long at least one face was there. */
  get presentMs() {
    return this.#presentMs;
  }

  /** How many share the lane of OTHERS. */
  get folded() {
    return this.#folded.size;
  }

  /**
   * @param {readonly {key: string, label: string, sure: boolean}[]} faces
   * @param {number} atMs
   */
  add(faces, atMs) {
    this.#reach(atMs);
    this.#last = { atMs, faces };
    for (const { key } of faces) this.#laneOf(key);
    this.#fold();
  }

  /** The time goes on without a result: what was shown holds for a moment. */
  #reach(atMs) {
    const { atMs: fromMs, faces } = this.#last;
    const toMs = Math.min(atMs, fromMs + HOLD_MS);
    this.#lengthMs = Math.max(this.#lengthMs, atMs);
    while (this.#lengthMs > BINS * this.#binMs) this.#halve();
    if (toMs <= fromMs || faces.length === 0) return;
    this.#presentMs += toMs - fromMs;
    for (const face of faces) this.#spread(face, fromMs, toMs);
  }

  #spread({ key, label, sure }, fromMs, toMs) {
    const lane = this.#laneOf(key);
    const kinds = this.#labels.length + 1;
    const kind = sure ? this.#labels.indexOf(label) : this.#labels.length;
    lane.ms += toMs - fromMs;
    for (let atMs = fromMs; atMs < toMs;) {
      const bin = Math.min(BINS - 1, Math.floor(atMs / this.#binMs));
      const endMs = Math.min(toMs, (bin + 1) * this.#binMs);
      lane.bins[bin * kinds + kind] += endMs - atMs;
      atMs = bin === BINS - 1 ? toMs : endMs;
    }
  }

  #laneOf(key) {
    const wanted = this.#folded.has(key) ? OTHERS : key;
    let lane = this.#lanes.get(wanted);
    if (!lane) {
      lane = { key: wanted, ms: 0, bins: new Float32Array(BINS * (this.#labels.length + 1)) };
      this.#lanes.set(wanted, lane);
    }
    return lane;
  }

  /** Two bins become one of twice the length. */
  #halve() {
    const kinds = this.#labels.length + 1;
    for (const { bins } of this.#lanes.values()) {
      for (let i = 0; i < (BINS / 2) * kinds; i += 1) {
        const first = Math.floor(i / kinds) * 2 * kinds + (i % kinds);
        bins[i] = bins[first] + bins[first + kinds];
      }
      bins.fill(0, (BINS / 2) * kinds);
    }
    this.#binMs *= 2;
  }

  /** Whoever was there shortest and is not there now goes to the others. */
  #fold() {
    const isHere = new Set(this.#last.faces.map(({ key }) => key));
    while (this.#lanes.size > MAX_LANES) {
      const away = [...this.#lanes.values()].filter(
        ({ key }) => key !== OTHERS && !isHere.has(key),
      );
      if (away.length === 0) return;
      const shortest = away.reduce((best, lane) => (lane.ms < best.ms ? lane : best));
      this.#lanes.delete(shortest.key);
      this.#folded.add(shortest.key);
      const others = this.#laneOf(OTHERS);
      others.ms += shortest.ms;
      shortest.bins.forEach((ms, i) => (others.bins[i] += ms));
    }
  }

  /**
   * @returns {{key: string, ms: number, cells: (string | null)[], shares: Record<string, number>}[]}
   *   in the order in which they came, the others last. cells: what prevailed in each bin so far,
   *   null for nobody; shares: of its time, 0-1, "unsure" among them
   */
  read() {
    const used = Math.max(1, Math.min(BINS, Math.ceil(this.#lengthMs / this.#binMs)));
    return [...this.#lanes.values()]
      .sort((a, b) => Number(a.key === OTHERS) - Number(b.key === OTHERS))
      .map((lane) => ({
        key: lane.key,
        ms: lane.ms,
        cells: Array.from({ length: used }, (_each, bin) => this.#prevailed(lane, bin)),
        shares: this.#shares(lane),
      }));
  }

  #prevailed({ bins }, bin) {
    const kinds = this.#labels.length + 1;
    let [best, bestMs] = [-1, 0];
    for (let kind = 0; kind < kinds; kind += 1) {
      const ms = bins[bin * kinds + kind];
      if (ms > bestMs) [best, bestMs] = [kind, ms];
    }
    return best < 0 ? null : (this.#labels[best] ?? UNSURE);
  }

  #shares({ bins, ms }) {
    const kinds = [...this.#labels, UNSURE];
    const sums = kinds.map(() => 0);
    bins.forEach((part, i) => (sums[i % kinds.length] += part));
    return Object.fromEntries(kinds.map((kind, i) => [kind, ms > 0 ? sums[i] / ms : 0]));
  }
}

/**
 * Counts rolling numbers for the display. Pure: the time is passed in.
 *
 * @typedef {object} StatisticsSnapshot
 * @property {number} resultsPerSecond
 * @property {number | null} latencyP50Ms from the capture of a frame to its result
 * @property {number | null} latencyP95Ms
 * @property {number} answered since the start
 * @property {number} dropped since the start: by the server, by time-out, or too large
 * @property {Record<string, number>} droppedBy reason -> count
 * @property {number} faces in the newest result
 * @property {import("./frame_pump.js").FrameAnswer | null} newest
 */

/**
 * @param {readonly number[]} values
 * @param {number} share 0-1
 * @returns {number | null} nearest-rank percentile, null without values
 */
export function percentile(values, share) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** Values of the last so many milliseconds. */
export class RollingWindow {
  #spanMs;
  #entries = [];

  /** @param {number} spanMs */
  constructor(spanMs) {
    this.#spanMs = spanMs;
  }

  add(value, nowMs) {
    this.#entries.push({ value, nowMs });
    this.#forget(nowMs);
  }

  values(nowMs) {
    this.#forget(nowMs);
    return this.#entries.map((entry) => entry.value);
  }

  /**
   * Entries per second between the first and the last; 0 until there are two.
   * Measured between entries, so that the first seconds are not counted as if they had been whole.
   */
  rate(nowMs) {
    this.#forget(nowMs);
    const first = this.#entries[0];
    if (this.#entries.length < 2) return 0;
    return (1000 * (this.#entries.length - 1)) / Math.max(1, this.#newest(nowMs) - first.nowMs);
  }

  clear() {
    this.#entries = [];
  }

  /**
   * A stream that stands still must not keep its old rate: after half a second the present counts.
   */
  #newest(nowMs) {
    const last = this.#entries.at(-1).nowMs;
    return nowMs - last > 500 ? nowMs : last;
  }

  #forget(nowMs) {
    while (this.#entries.length > 0 && this.#entries[0].nowMs <= nowMs - this.#spanMs)
      this.#entries.shift();
  }
}

export class LiveStatistics {
  #results = new RollingWindow(2000);
  #latencies = new RollingWindow(10_000);
  #answered = 0;
  #droppedBy = {};
  #newest = null;

  reset() {
    this.#results.clear();
    this.#latencies.clear();
    this.#answered = 0;
    this.#droppedBy = {};
    this.#newest = null;
  }

  /** @param {import("./frame_pump.js").FrameAnswer} answer @param {number} nowMs */
  addResult(answer, nowMs) {
    this.#answered += 1;
    this.#results.add(1, nowMs);
    this.#latencies.add(answer.latencyMs, nowMs);
    this.#newest = answer;
  }

  /** @param {string} reason */
  addDrop(reason) {
    this.#droppedBy[reason] = (this.#droppedBy[reason] ?? 0) + 1;
  }

  /** @param {number} nowMs @returns {StatisticsSnapshot} */
  snapshot(nowMs) {
    const latencies = this.#latencies.values(nowMs);
    return {
      resultsPerSecond: this.#results.rate(nowMs),
      latencyP50Ms: percentile(latencies, 0.5),
      latencyP95Ms: percentile(latencies, 0.95),
      answered: this.#answered,
      dropped: Object.values(this.#droppedBy).reduce((sum, count) => sum + count, 0),
      droppedBy: { ...this.#droppedBy },
      faces: this.#newest?.faces.length ?? 0,
      newest: this.#newest,
    };
  }
}

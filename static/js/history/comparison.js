/**
 * Loads two to four sessions for one axis of time.
 *
 * @typedef {object} Compared
 * @property {any} session as the server describes it
 * @property {import("./samples.js").Samples} samples
 * @property {any} summary
 * @property {number} originS the session's second that is zero on the shared axis
 */
import { t } from "../shared/words.js";
import { originOf } from "./alignment.js";
import { POINTS } from "./detail.js";
import { parseSamples } from "./samples.js";

const LEAST = 2;
const MOST = 4;

export class Comparison {
  #api;
  #bus;
  #ids;
  #compared = [];
  #loading = new AbortController();

  /**
   * @param {{api: import("./sessions_api.js").SessionsApi, bus:
   *   import("../shared/event_bus.js").EventBus, ids: string[]}} deps
   */
  constructor({ api, bus, ids }) {
    this.#api = api;
    this.#bus = bus;
    this.#ids = [...new Set(ids)];
  }

  /**
   * Emits comparison-changed {compared, isAligned} or load-failed {problem}; keeps the alignment.
   */
  async load(smoothingS) {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    try {
      this.#check();
      const loaded = await Promise.all(
        this.#ids.map((id) => this.#loadOne(id, smoothingS, signal)),
      );
      this.#compared = loaded.map((each, i) => ({
        ...each,
        originS: this.#compared[i]?.originS ?? 0,
      }));
      this.#tell(false);
    } catch (error) {
      if (!signal.aborted) this.#bus.emit("load-failed", { problem: error });
    }
  }

  /**
   * @param {string} id of the session
   * @param {string} markerId that becomes zero; "" for the start
   */
  align(id, markerId) {
    this.#compared = this.#compared.map((each) =>
      each.session.id === id
        ? { ...each, originS: originOf(each.session.markers, markerId) }
        : each,
    );
    this.#tell(true);
  }

  #check() {
    const { length } = this.#ids;
    if (length >= LEAST && length <= MOST) return;
    throw new RangeError(
      t("{least} to {most} different sessions can be compared, {count} were chosen.", {
        least: LEAST,
        most: MOST,
        count: length,
      }),
    );
  }

  async #loadOne(id, smoothingS, signal) {
    const view = { smoothing_s: smoothingS };
    const [session, samples, summary] = await Promise.all([
      this.#api.session(id, signal),
      this.#api.samples(id, { ...view, points: POINTS }, signal),
      this.#api.summary(id, view, signal),
    ]);
    return { session, samples: parseSamples(samples, session.labels), summary };
  }

  #tell(isAligned) {
    this.#bus.emit("comparison-changed", { compared: this.#compared, isAligned });
  }
}

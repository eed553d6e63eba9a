/**
 * Loads what a window of a long session holds: the server thins all of it to what the chart draws.
 *
 * Hears: view-changed, range-changed. Emits: detail-changed {samples}, of the window or of all.
 */
import { parseSamples } from "./samples.js";

/** Of each face, in one answer: twice what the widest chart draws. */
export const POINTS = 4000;

/** A window that moves is asked for when it rests. */
const REST_MS = 250;

export class Detail {
  #deps;
  #shown = null;
  /** @type {{fromS: number, toS: number, stepS: number} | null} the window that was loaded, as it is shown */
  #part = null;
  #loading = new AbortController();
  #timer;

  /**
   * @param {{api: import("./sessions_api.js").SessionsApi, bus:
   *   import("../shared/event_bus.js").EventBus, id: string, restMs?: number}} deps
   */
  constructor(deps) {
    this.#deps = { restMs: REST_MS, ...deps };
    deps.bus.on("view-changed", (shown) => this.#take(shown));
    deps.bus.on("range-changed", (range) => this.#follow(range));
    deps.bus.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  #take(shown) {
    this.#stop();
    this.#shown = shown;
    this.#part = null;
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#loading.abort();
  }

  #follow({ fromS, toS }) {
    if (!this.#shown || this.#shown.samples.stepS === 0) return;
    const isInside = this.#part && fromS >= this.#part.fromS && toS <= this.#part.toS;
    if (isInside && isDrawn(this.#part.stepS, fromS, toS)) return;
    this.#stop();
    if (this.#part && !isInside) {
      this.#part = null;
      this.#tell(this.#shown.samples);
    }
    if (isDrawn(this.#shown.samples.stepS, fromS, toS)) return;
    this.#timer = setTimeout(() => void this.#load(fromS, toS), this.#deps.restMs);
  }

  async #load(fromS, toS) {
    const { signal } = (this.#loading = new AbortController());
    const { view, session } = this.#shown;
    // Half a window on each side, so that a small move needs nothing new.
    const aroundS = (toS - fromS) / 2;
    const part = { fromS: Math.max(0, fromS - aroundS), toS: toS + aroundS };
    const query = { face: view.face, smoothing_s: view.smoothingS, points: POINTS };
    try {
      const bounds = { from_s: part.fromS, to_s: part.toS };
      const raw = await this.#deps.api.samples(this.#deps.id, { ...query, ...bounds }, signal);
      if (signal.aborted) return;
      const samples = parseSamples(raw, session.labels);
      this.#part = { ...part, stepS: samples.stepS };
      this.#tell(samples);
    } catch {
      // What is shown stays, coarser than it could be; the next move asks again.
    }
  }

  #tell(samples) {
    this.#deps.bus.emit("detail-changed", { samples });
  }
}

/** Whether steps of this length are as many as a chart draws of a window. */
const isDrawn = (stepS, fromS, toS) => stepS === 0 || (toS - fromS) / stepS >= POINTS / 2;

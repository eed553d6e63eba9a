/** Says the dominant expression to screen readers: on a change only, and not more often than every few seconds. */
import { announceFaces } from "../format.js";

const INTERVAL_MS = 3000;

/** Decides what is said when. Pure: the time is passed in. */
export class AnnouncementThrottle {
  #said = null;
  #saidMs = -Infinity;

  /**
   * @param {string} text
   * @param {number} nowMs
   * @returns {string | null} what to say now
   */
  offer(text, nowMs) {
    if (text === this.#said || nowMs - this.#saidMs < INTERVAL_MS) return null;
    this.#said = text;
    this.#saidMs = nowMs;
    return text;
  }

  reset() {
    this.#said = null;
  }
}

export class AnnouncerView {
  #region;
  #throttle = new AnnouncementThrottle();

  /**
   * @param {{region: HTMLElement}} elements with aria-live="polite"
   * @param {import("../event_bus.js").EventBus} bus
   * @param {AbortSignal} signal
   */
  constructor({ region }, bus, signal) {
    this.#region = region;
    bus.on("result", ({ faces }) => this.#offer(faces), { signal });
    bus.on("session-changed", () => this.#reset(), { signal });
  }

  #offer(faces) {
    const text = this.#throttle.offer(announceFaces(faces), performance.now());
    if (text !== null) this.#region.textContent = text;
  }

  #reset() {
    this.#throttle.reset();
    this.#region.textContent = "";
  }
}

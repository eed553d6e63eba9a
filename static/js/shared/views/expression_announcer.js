/**
 * Says the dominant expression to screen readers: on a change only, and not more often than every
 * few seconds.
 */
import { announceFaces } from "../format.js";

const INTERVAL_MS = 3000;

/**
 * A face is missed in single frames, and a camera's first ones are dark: its absence is said once
 * it lasts.
 */
const ABSENCE_MS = 1000;

/** Decides what is said when. Pure: the time is passed in. */
export class AnnouncementThrottle {
  #said = null;
  #saidMs = -Infinity;
  #absentSinceMs = null;

  /**
   * @param {string} text
   * @param {number} nowMs
   * @param {boolean} absent the text says that nobody is there
   * @returns {string | null} what to say now
   */
  offer(text, nowMs, absent = false) {
    this.#absentSinceMs = absent ? (this.#absentSinceMs ?? nowMs) : null;
    if (absent && nowMs - this.#absentSinceMs < ABSENCE_MS) return null;
    if (text === this.#said || nowMs - this.#saidMs < INTERVAL_MS) return null;
    this.#said = text;
    this.#saidMs = nowMs;
    return text;
  }

  reset() {
    this.#said = null;
    this.#absentSinceMs = null;
  }
}

export class ExpressionAnnouncerView {
  #region;
  #throttle = new AnnouncementThrottle();

  /**
   * @param {{region: HTMLElement}} elements with aria-live="polite"
   * @param {import("../event_bus.js").EventBus} bus
   */
  constructor({ region }, bus) {
    this.#region = region;
    bus.on("result", ({ faces }) => this.#offer(faces));
    bus.on("session-changed", () => this.#reset());
  }

  #offer(faces) {
    const text = this.#throttle.offer(announceFaces(faces), performance.now(), faces.length === 0);
    if (text !== null) this.#region.textContent = text;
  }

  #reset() {
    this.#throttle.reset();
    this.#region.textContent = "";
  }
}

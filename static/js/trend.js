/** The expressions of one face in the last minute, as a strip of colours. */
import { emotionColour } from "./palette.js";

const STEP_MS = 250;
const LENGTH = 240;

/** Pure: the time is passed in. */
export class Trend {
  #labels = [];
  #step = null;

  /**
   * @param {string | null} label null: unsure
   * @param {number} nowMs
   * @returns {boolean} a new step began
   */
  add(label, nowMs) {
    const step = Math.floor(nowMs / STEP_MS);
    if (step === this.#step) return false;
    const missed = this.#step === null ? 0 : Math.min(LENGTH, step - this.#step - 1);
    this.#labels.push(...Array(missed).fill(null), label);
    this.#labels = this.#labels.slice(-LENGTH);
    this.#step = step;
    return true;
  }

  /** @returns {readonly (string | null)[]} oldest first, at most LENGTH */
  get labels() {
    return this.#labels;
  }
}

/**
 * One pixel a step, now at the right; unsure stays empty.
 *
 * @param {HTMLCanvasElement} canvas LENGTH pixels wide, one high
 * @param {Trend} trend
 */
export function drawTrend(canvas, { labels }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  labels.forEach((label, i) => {
    if (label === null) return;
    context.fillStyle = emotionColour(label);
    context.fillRect(LENGTH - labels.length + i, 0, 1, canvas.height);
  });
}

/** Keeps the last minute in steps of a quarter of a second, and draws that of one face. */
import { emotionColour } from "./palette.js";

export const STEP_MS = 250;
const LENGTH = 240;

/**
 * Pure: the time is passed in.
 *
 * @template T what is known of a step; of a face its label
 */
export class Trend {
  #entries = [];
  #step = null;

  /**
   * @param {T | null} entry null: nothing is known, or unsure
   * @param {number} nowMs
   * @returns {boolean} a new step began
   */
  add(entry, nowMs) {
    const step = Math.floor(nowMs / STEP_MS);
    if (step === this.#step) return false;
    const missed = this.#step === null ? 0 : Math.min(LENGTH, step - this.#step - 1);
    this.#entries.push(...Array(missed).fill(null), entry);
    this.#entries = this.#entries.slice(-LENGTH);
    this.#step = step;
    return true;
  }

  /** @returns {readonly (T | null)[]} oldest first, at most LENGTH */
  get entries() {
    return this.#entries;
  }
}

/**
 * One pixel a step, now at the right; unsure stays empty.
 *
 * @param {HTMLCanvasElement} canvas LENGTH pixels wide, one high
 * @param {Trend<string>} trend
 */
export function drawTrend(canvas, { entries }) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  entries.forEach((label, i) => {
    if (label === null) return;
    context.fillStyle = emotionColour(label);
    context.fillRect(LENGTH - entries.length + i, 0, 1, canvas.height);
  });
}

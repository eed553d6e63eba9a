/**
 * Shows the timeline of the last minute: how the expressions of all in view share each quarter of a
 * second.
 */
import { emotionColour } from "../../shared/palette.js";
import { STEP_MS, Trend } from "../../shared/trend.js";
import { describeMinute, meanShares } from "../mean_shares.js";

/** A result older than this says nothing about now. */
const FRESH_MS = 1000;
/** The words change less often than the picture: nobody reads four lines a second. */
const WORDS_EVERY_MS = 2000;

export class MinuteView {
  #elements;
  #emotions;
  #trend = new Trend();
  #shares = null;
  #sharesMs = -Infinity;
  #wordsMs = -Infinity;

  /**
   * @param {{canvas: HTMLCanvasElement, words: HTMLElement}} elements canvas: one pixel a step wide
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {readonly string[]} emotions
   */
  constructor(elements, bus, emotions) {
    const { signal } = bus;
    this.#elements = elements;
    this.#emotions = emotions;
    bus.on("result", ({ faces }) => this.#take(faces));
    bus.on("session-changed", () => this.#take([]));
    const timer = setInterval(() => this.#step(performance.now()), STEP_MS);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  #take(faces) {
    this.#shares = meanShares(faces, this.#emotions);
    this.#sharesMs = performance.now();
  }

  #step(nowMs) {
    this.#trend.add(nowMs - this.#sharesMs < FRESH_MS ? this.#shares : null, nowMs);
    this.#draw();
    if (nowMs - this.#wordsMs < WORDS_EVERY_MS) return;
    this.#wordsMs = nowMs;
    this.#elements.words.textContent = describeMinute(this.#trend.entries, this.#emotions);
  }

  #draw() {
    const { canvas } = this.#elements;
    const context = canvas.getContext("2d");
    const { entries } = this.#trend;
    context.clearRect(0, 0, canvas.width, canvas.height);
    entries.forEach(
      (shares, i) => shares && this.#drawStep(context, canvas.width - entries.length + i, shares),
    );
  }

  #drawStep(context, x, shares) {
    const { height } = this.#elements.canvas;
    let y = height;
    for (const emotion of this.#emotions) {
      const tall = shares[emotion] * height;
      y -= tall;
      context.fillStyle = emotionColour(emotion);
      context.fillRect(x, y, 1, tall);
    }
  }
}

/** Asks by a slider over how many seconds scores are averaged. */
import { formatNumber, t } from "../../shared/words.js";

const SETTLE_MS = 200;

export class SmoothingView {
  #elements;
  #bus;
  #timer = 0;

  /**
   * @param {{slider: HTMLInputElement, text: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits smoothing-changed {smoothingS}
   *   when the slider rests
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    elements.slider.addEventListener("input", () => this.#slide(), { signal });
    this.#describe();
  }

  get valueS() {
    return Number(this.#elements.slider.value);
  }

  #slide() {
    this.#describe();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#bus.emit("smoothing-changed", { smoothingS: this.valueS }),
      SETTLE_MS,
    );
  }

  #describe() {
    const { slider, text } = this.#elements;
    text.textContent =
      this.valueS === 0 ? t("none") : t("{seconds} s", { seconds: formatNumber(this.valueS) });
    slider.setAttribute("aria-valuetext", text.textContent);
  }
}

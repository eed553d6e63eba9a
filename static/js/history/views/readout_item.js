/**
 * Shows one line's value under the cursor; pressing it hides or shows the line. A part of
 * TimelineView.
 */
import { capitalise } from "../../shared/format.js";
import { t } from "../../shared/words.js";

export class ReadoutItem {
  button = document.createElement("button");
  #value = document.createElement("span");
  #name;

  #format;

  /**
   * @param {{label: string, name: string, colour: string, format: (value: number) => string}} line
   * @param {(isShown: boolean) => void} onToggle
   */
  constructor({ label, name, colour, format }, onToggle) {
    this.#name = name;
    this.#format = format;
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.setProperty("--emotion", colour.startsWith("--") ? `var(${colour})` : colour);
    this.#value.className = "readout-value";
    this.button.type = "button";
    this.button.className = "readout-item";
    this.button.dataset.emotion = label;
    this.button.setAttribute("aria-pressed", "true");
    this.button.title = t("Hide or show {name}", { name: this.#name });
    this.button.append(swatch, capitalise(this.#name), this.#value);
    this.button.addEventListener("click", () => this.#toggle(onToggle));
  }

  get text() {
    return `${this.#name} ${this.#value.textContent}`;
  }

  /** @param {number | null} value */
  show(value) {
    this.#value.textContent = this.#format(value ?? NaN);
  }

  #toggle(onToggle) {
    const isShown = this.button.getAttribute("aria-pressed") !== "true";
    this.button.setAttribute("aria-pressed", String(isShown));
    onToggle(isShown);
  }
}

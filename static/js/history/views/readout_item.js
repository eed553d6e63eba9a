/**
 * Shows one expression's value under the cursor; pressing it hides or shows its line. A part of
 * TimelineView.
 */
import { capitalise, emotionName, formatPercent } from "../../shared/format.js";
import { t } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";

export class ReadoutItem {
  button = document.createElement("button");
  #value = document.createElement("span");
  #name;

  constructor(label, onToggle) {
    this.#name = emotionName(label);
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.setProperty("--emotion", emotionColour(label));
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

  show(score) {
    this.#value.textContent = formatPercent(score ?? NaN);
  }

  #toggle(onToggle) {
    const isShown = this.button.getAttribute("aria-pressed") !== "true";
    this.button.setAttribute("aria-pressed", String(isShown));
    onToggle(isShown);
  }
}

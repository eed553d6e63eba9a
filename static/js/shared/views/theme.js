/**
 * Switches between dark and light: the system's choice until the person makes their own.
 * theme_boot.js applies it at loading.
 */
import { t } from "../words.js";

export class ThemeView {
  #root;
  #button;
  #preferences;

  /**
   * @param {{root: HTMLElement, button: HTMLButtonElement}} elements
   * @param {AbortSignal} signal
   * @param {import("../preferences.js").Preferences} preferences
   */
  constructor({ root, button }, signal, preferences) {
    this.#root = root;
    this.#button = button;
    this.#preferences = preferences;
    button.addEventListener("click", () => this.#toggle(), { signal });
    this.#describe();
  }

  #toggle() {
    const theme = this.#root.dataset.theme === "dark" ? "light" : "dark";
    this.#root.dataset.theme = theme;
    this.#preferences.set("theme", theme);
    this.#describe();
  }

  #describe() {
    const other = this.#root.dataset.theme === "dark" ? "light" : "dark";
    const text = other === "dark" ? t("Switch to dark theme") : t("Switch to light theme");
    this.#button.setAttribute("aria-label", text);
    this.#button.title = text;
  }
}

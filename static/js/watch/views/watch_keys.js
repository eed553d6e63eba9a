/** Asks for full screen by its button, or by the key F where single keys are shortcuts. */
import { singleKey } from "../../shared/single_key.js";

export class WatchKeysView {
  /**
   * @param {{page: Document, fullscreen: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {import("../../shared/preferences.js").Preferences} preferences
   */
  constructor({ page, fullscreen }, bus, preferences) {
    const options = { signal: bus.signal };
    const ask = () => bus.emit("fullscreen-requested");
    fullscreen.addEventListener("click", ask, options);
    page.addEventListener(
      "keydown",
      (event) => {
        if (singleKey(event) !== "f" || preferences.get("shortcuts") === "off") return;
        event.preventDefault();
        ask();
      },
      options,
    );
    bus.on("fullscreen-changed", ({ isFullscreen }) =>
      fullscreen.setAttribute("aria-pressed", String(isFullscreen)),
    );
  }
}

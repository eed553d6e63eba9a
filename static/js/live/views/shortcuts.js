/** Turns single keys into requests, silent while something else needs the key, or switched off. */
import { singleKey } from "../../shared/single_key.js";

const REQUESTS = {
  " ": "toggle",
  m: "mirror-toggle",
  f: "fullscreen",
  s: "snapshot",
  h: "hud-toggle",
  t: "heatmap-toggle",
  r: "record-toggle",
  e: "marker",
  ",": "settings",
  p: "pause-toggle",
  c: "clip-toggle",
  i: "pip-toggle",
  "?": "help",
};

export class ShortcutsView {
  /**
   * @param {{page: Document, isOn: HTMLInputElement}} elements isOn: the choice; speech input and
   *   some assistive tools send single letters (WCAG 2.1.4)
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {import("../../shared/preferences.js").Preferences} preferences
   */
  constructor({ page, isOn }, bus, preferences) {
    const { signal } = bus;
    isOn.checked = preferences.get("shortcuts") !== "off";
    const choose = () => preferences.set("shortcuts", isOn.checked ? "on" : "off");
    isOn.addEventListener("change", choose, { signal });
    page.addEventListener(
      "keydown",
      (event) => {
        const request = requestFor(event);
        if (!request || page.querySelector("dialog[open]")) return;
        if (!isOn.checked && request !== "help") return;
        event.preventDefault();
        bus.emit(`${request}-requested`);
      },
      { signal },
    );
  }
}

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat" | "isComposing" |
 *   "target">} event
 * @returns {string | undefined} the name of the request
 */
export function requestFor(event) {
  return REQUESTS[singleKey(event)];
}

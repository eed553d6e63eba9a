/** Turns single keys into requests, silent while something else needs the key. */
const REQUESTS = {
  " ": "toggle",
  m: "mirror-toggle",
  f: "fullscreen",
  s: "snapshot",
  h: "hud-toggle",
  t: "heatmap-toggle",
  r: "record-toggle",
  e: "marker",
  "?": "help",
};
const USES_KEYS = "input, select, textarea, [contenteditable]";
const USES_SPACE = "button, a, summary";

export class ShortcutsView {
  /**
   * @param {Document} page
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(page, bus) {
    const { signal } = bus;
    page.addEventListener(
      "keydown",
      (event) => {
        const request = requestFor(event);
        if (!request || page.querySelector("dialog[open]")) return;
        event.preventDefault();
        bus.emit(`${request}-requested`);
      },
      { signal },
    );
  }
}

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat" | "target">}
 *   event
 * @returns {string | undefined} the name of the request
 */
export function requestFor({ key, ctrlKey, metaKey, altKey, repeat, target }) {
  const element = /** @type {Element | null} */ (target);
  if (ctrlKey || metaKey || altKey || repeat) return undefined;
  if (element?.closest?.(USES_KEYS)) return undefined;
  if (key === " " && element?.closest?.(USES_SPACE)) return undefined;
  return REQUESTS[key.length === 1 ? key.toLowerCase() : key];
}

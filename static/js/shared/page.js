/** What every page begins and ends with. */
import { EventBus } from "./event_bus.js";
import { Preferences } from "./preferences.js";
import { MessagesView } from "./views/messages.js";
import { ThemeView } from "./views/theme.js";

/**
 * @typedef {object} Page
 * @property {EventBus} bus
 * @property {Preferences} preferences
 * @property {typeof fetch} fetch
 */

/** @param {string} id @returns {any} the element of the template; null where this page has none */
export const find = (id) => document.getElementById(id);

/** @returns {Page} with the theme's button and, where the page has room for them, messages */
export function openPage() {
  const bus = new EventBus();
  const preferences = new Preferences(() => localStorage);
  new ThemeView({ root: document.documentElement, button: find("theme-toggle") }, bus.signal, preferences);
  const messages = { list: find("messages"), template: find("message-template") };
  if (messages.list) new MessagesView(messages, bus);
  return { bus, preferences, fetch: globalThis.fetch.bind(globalThis) };
}

/** Takes away the words for a page that did not load whole: its module ran to the end, with all that it imports. */
export function tellLoaded() {
  find("not-loaded").remove();
}

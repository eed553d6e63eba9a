/** Opens a page, with what every page has, and says when it has loaded whole. */
import { EventBus } from "./event_bus.js";
import { Preferences } from "./preferences.js";
import { DropGuardView } from "./views/drop_guard.js";
import { LanguageChoiceView } from "./views/language_choice.js";
import { MessagesView } from "./views/messages.js";
import { ThemeView } from "./views/theme.js";

/**
 * @typedef {object} Page
 * @property {EventBus} bus
 * @property {Preferences} preferences
 * @property {typeof globalThis.fetch} fetch
 */

/** @param {string} id @returns {any} the element of the template; null where this page has none */
export const find = (id) => document.getElementById(id);

/** @param {string} selector @returns {any[]} the elements of the template that it selects */
export const findAll = (selector) => [...document.querySelectorAll(selector)];

/** @returns {string | undefined} what the server tells the page in its head, in JSON */
export function optionsText() {
  return /** @type {HTMLMetaElement | null} */ (document.querySelector('meta[name="fer-options"]'))
    ?.content;
}

/** @returns {Page} with the theme's button and, where the page has room for them, messages */
export function openPage() {
  const bus = new EventBus();
  const preferences = new Preferences(() => localStorage);
  new ThemeView(
    { root: document.documentElement, button: find("theme-toggle") },
    bus.signal,
    preferences,
  );
  new LanguageChoiceView(findAll("[data-language-choice]"), bus.signal, {
    page: document,
    place: location,
  });
  new DropGuardView(document, bus.signal);
  const messages = { list: find("messages"), template: find("message-template") };
  if (messages.list) new MessagesView(messages, bus);
  return { bus, preferences, fetch: globalThis.fetch.bind(globalThis) };
}

/**
 * Takes away the words for a page that did not load whole: its module ran to the end, with all that
 * it imports.
 */
export function tellLoaded() {
  find("not-loaded").remove();
}

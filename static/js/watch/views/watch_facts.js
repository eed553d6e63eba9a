/** Shows below the stage: is it live, who is in view, who watches, and what the host shows. */
import { t } from "../../shared/words.js";
const STATES = Object.freeze({
  connecting: t("Connecting"),
  waiting: t("Waiting for the host"),
  quiet: t("No results"),
  live: t("Live"),
  over: t("Ended"),
});

export class WatchFactsView {
  #elements;

  /**
   * @param {{bar: HTMLElement, name: HTMLElement, state: HTMLElement, people: HTMLElement,
   *   watchers: HTMLElement, video: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("watch-changed", (watched) => this.#show(watched));
  }

  #show(watched) {
    const { bar, name, state } = this.#elements;
    bar.dataset.state = watched.state;
    setText(name, watched.name);
    setText(state, STATES[watched.state]);
    const facts = describeFacts(watched);
    for (const [key, text] of Object.entries(facts)) setText(this.#elements[key], text);
  }
}

/**
 * @param {import("../watch_session.js").Watched} watched
 * @returns {{people: string, watchers: string, video: string}} a dash for what is not known
 */
export function describeFacts({ state, people, watchers, hasVideo }) {
  const isKnown = state !== "connecting" && state !== "over";
  return {
    people: state === "live" ? String(people) : "–",
    watchers: isKnown ? String(watchers) : "–",
    video: !isKnown ? "–" : hasVideo ? t("shared") : t("not shared"),
  };
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

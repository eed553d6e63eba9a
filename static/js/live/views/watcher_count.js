/** Says, as long as it is so, that others see this page's stream. */
import { plural } from "../../shared/words.js";

export class WatcherCountView {
  #elements;

  /**
   * @param {{bar: HTMLElement, text: HTMLElement}} elements text: a polite live region
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("watched-changed", (watched) => this.#show(watched));
    // Without a connection nothing is sent, so nothing is seen; connected again, the server says
    // how it is.
    bus.on(
      "connection-changed",
      ({ state }) => state === "connected" || this.#show({ watchers: 0, hasVideo: false }),
    );
  }

  #show(watched) {
    const { bar, text } = this.#elements;
    const said = describeWatched(watched);
    bar.dataset.watched =
      watched.watchers === 0 ? "nobody" : watched.hasVideo ? "video" : "numbers";
    // Said again only when it is different: screen readers read each change.
    if (text.textContent !== said) text.textContent = said;
  }
}

/**
 * @param {{watchers: number, hasVideo: boolean}} watched
 * @returns {string} empty when nobody watches
 */
export function describeWatched({ watchers, hasVideo }) {
  if (watchers === 0) return "";
  return hasVideo
    ? plural(
        watchers,
        "{count} person is watching, with your picture",
        "{count} people are watching, with your picture",
      )
    : plural(
        watchers,
        "{count} person is watching, with boxes and labels only",
        "{count} people are watching, with boxes and labels only",
      );
}

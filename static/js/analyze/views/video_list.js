/** Shows the videos that were added, sent before, or are under way. */
import { VideoRow } from "./video_row.js";

export class VideoListView {
  #elements;
  #bus;
  #filePath;
  #rows = new Map();

  /**
   * @param {{section: HTMLElement, list: HTMLElement, template: HTMLTemplateElement, trouble:
   *   HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits video-retry-requested {key} and
   *   video-remove-requested {key}
   * @param {(id: string, part: string) => string} filePath of a video's files
   */
  constructor(elements, bus, filePath) {
    this.#elements = elements;
    this.#bus = bus;
    this.#filePath = filePath;
    bus.on("videos-changed", ({ videos }) => this.#show(videos));
    bus.on("videos-unreachable", ({ message }) => this.#showTrouble(message));
  }

  #show(videos) {
    const { section, list, template, trouble } = this.#elements;
    const hadFocus = list.contains(document.activeElement);
    section.hidden = videos.length === 0;
    trouble.hidden = true;
    const keys = new Set(videos.map(({ key }) => key));
    for (const [key, row] of this.#rows) if (!keys.has(key)) this.#drop(key, row);
    for (const video of videos) {
      if (!this.#rows.has(video.key)) {
        const row = new VideoRow(template, this.#bus, this.#filePath);
        this.#rows.set(video.key, row);
        list.append(row.element);
      }
      this.#rows.get(video.key).show(video);
    }
    if (hadFocus && !list.contains(document.activeElement))
      list.querySelector("button:not([hidden]), a:not([hidden])")?.focus();
  }

  #drop(key, row) {
    row.element.remove();
    this.#rows.delete(key);
  }

  #showTrouble(message) {
    const { section, trouble } = this.#elements;
    trouble.hidden = section.hidden;
    trouble.textContent = message;
  }
}

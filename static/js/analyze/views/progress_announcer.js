/** Says to screen readers what became of files: when all are done, not each one. */
import { announceFaces, formatCount } from "../../shared/format.js";
import { countStates } from "../image_queue.js";

export class ProgressAnnouncerView {
  #region;
  #items = new Map();

  /**
   * @param {{region: HTMLElement}} elements with aria-live="polite"
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor({ region }, bus) {
    this.#region = region;
    bus.on("images-changed", ({ items }) => this.#takeAll(items));
    bus.on("image-changed", ({ item }) => this.#take(item));
    bus.on("video-ended", ({ video }) => this.#say(`${video.name}: ${video.state}`));
    bus.on(
      "folder-changed",
      ({ status, report }) => status === "finished" && this.#say(announceReport(report)),
    );
  }

  #takeAll(items) {
    const added = items.length - this.#items.size;
    this.#items = new Map(items.map((item) => [item.id, item]));
    if (added > 0) this.#say(`Analysing ${formatCount(added, "picture")}`);
  }

  #take(item) {
    this.#items.set(item.id, item);
    const items = [...this.#items.values()];
    if (countStates(items).pending === 0) this.#say(announceImages(items));
  }

  #say(text) {
    this.#region.textContent = text;
  }
}

/** @param {readonly import("../image_queue.js").ImageItem[]} items all of them over */
export function announceImages(items) {
  if (items.length === 1) {
    const [{ name, result, error }] = items;
    return `${name}: ${error ? error.message : result.faces.length > 0 ? announceFaces(result.faces) : "no face found"}`;
  }
  const { done, failed } = countStates(items);
  return `${formatCount(done, "picture")} analysed${failed > 0 ? `, ${failed} not` : ""}`;
}

function announceReport({ accuracy }) {
  return Number.isFinite(accuracy)
    ? `The folder test is done: accuracy ${(100 * accuracy).toFixed(1)} %`
    : "The folder test is done: no picture could be scored";
}

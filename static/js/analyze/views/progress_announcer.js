/** Says to screen readers what became of files: when all are done, not each one. */
import { announceFaces } from "../../shared/format.js";
import { serverText } from "../../shared/server_errors.js";
import { plural, t } from "../../shared/words.js";
import { formatShare } from "../folder_texts.js";
import { countStates } from "../image_queue.js";

const ENDED = { finished: t("finished"), failed: t("failed"), cancelled: t("cancelled") };

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
    bus.on("video-ended", ({ video: { name, state } }) =>
      this.#say(t("{name}: {text}", { name, text: ENDED[state] ?? state })),
    );
    bus.on(
      "folder-changed",
      ({ status, report }) => status === "finished" && this.#say(announceReport(report)),
    );
  }

  #takeAll(items) {
    const added = items.length - this.#items.size;
    this.#items = new Map(items.map((item) => [item.id, item]));
    if (added > 0)
      this.#say(plural(added, "Analysing {count} picture", "Analysing {count} pictures"));
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
    return t("{name}: {text}", { name, text: error ? serverText(error) : announceOne(result) });
  }
  const { done, failed } = countStates(items);
  const says = plural(done, "{count} picture analysed", "{count} pictures analysed");
  return failed > 0 ? `${says}, ${plural(failed, "{count} not", "{count} not")}` : says;
}

const announceOne = ({ faces }) => (faces.length > 0 ? announceFaces(faces) : t("no face found"));

function announceReport({ accuracy }) {
  return Number.isFinite(accuracy)
    ? t("The folder test is done: accuracy {share}", { share: formatShare(accuracy) })
    : t("The folder test is done: no picture could be scored");
}

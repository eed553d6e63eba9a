/** Saves results of pictures as files. Emits download-busy {isBusy} while the server draws. */
import { serverText } from "../shared/server_errors.js";
import { plural, t } from "../shared/words.js";
import { annotatedName, csvOf, jsonOf, stemOf, uniqueNames } from "./result_formats.js";

export class ResultDownloads {
  #deps;

  /**
   * @param {{queue: import("./image_queue.js").ImageQueue, bus:
   *   import("../shared/event_bus.js").EventBus, emotions: readonly string[], save: (blob: Blob,
   *   name: string) => void, zip: typeof import("client-zip").downloadZip}} deps save: hands a file
   *   to the browser's downloads
   */
  constructor(deps) {
    this.#deps = deps;
  }

  /**
   * @param {"annotated" | "csv" | "json"} format
   * @param {readonly number[] | null} ids null: all
   */
  async download(format, ids) {
    const { queue, emotions, save } = this.#deps;
    const items = queue.items.filter(
      ({ id, result, error }) => (ids === null || ids.includes(id)) && (result || error),
    );
    if (items.length === 0) return;
    const name = ids === null ? "expressions" : stemOf(items[0].name);
    if (format === "csv")
      save(new Blob(["\uFEFF", csvOf(items, emotions)], { type: "text/csv" }), `${name}.csv`);
    if (format === "json")
      save(new Blob([jsonOf(items)], { type: "application/json" }), `${name}.json`);
    if (format === "annotated")
      await this.#annotated(
        items.filter(({ result }) => result),
        ids === null,
      );
  }

  async #annotated(items, isAll) {
    const { queue, bus, save } = this.#deps;
    bus.emit("download-busy", { isBusy: true });
    try {
      const pictures = await queue.annotated(items);
      if (isAll) save(await this.#zip(items, pictures), "expressions.zip");
      else save(pictures[0], annotatedName(items[0].name));
      bus.emit("message", {
        id: "download",
        tone: "info",
        title: t("Saved"),
        text: plural(
          items.length,
          "{count} picture with boxes, in your downloads",
          "{count} pictures with boxes, in your downloads",
        ),
        lastsMs: 6000,
      });
    } catch (error) {
      bus.emit("message", {
        id: "download",
        tone: "error",
        title: t("Nothing was saved"),
        text: serverText(error),
        lastsMs: 15_000,
      });
    } finally {
      bus.emit("download-busy", { isBusy: false });
    }
  }

  #zip(items, pictures) {
    const names = uniqueNames(items.map(({ name }) => annotatedName(name)));
    const entries = pictures.map((input, i) => ({ name: names[i], input }));
    return this.#deps.zip(entries).blob();
  }
}

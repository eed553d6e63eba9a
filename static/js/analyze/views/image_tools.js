/** Shows above the pictures how many are done, how faces are found, and all results as files. */
import { formatNumber, plural, t } from "../../shared/words.js";
import { countStates } from "../image_queue.js";

export class ImageToolsView {
  #elements;
  #items = new Map();

  /**
   * @param {{section: HTMLElement, count: HTMLElement, progress: HTMLElement, faces:
   *   HTMLSelectElement, annotated: HTMLButtonElement, csv: HTMLButtonElement, json:
   *   HTMLButtonElement, retry: HTMLButtonElement, clear: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits faces-selected {faces},
   *   download-requested {format, ids}, retry-failed-requested and clear-images-requested
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    bus.on("images-changed", ({ items }) => this.#takeAll(items));
    bus.on("image-changed", ({ item }) => this.#take(item));
    bus.on("download-busy", ({ isBusy }) => this.#showBusy(isBusy));
    const { faces, retry, clear } = elements;
    faces.addEventListener("change", () => bus.emit("faces-selected", { faces: faces.value }), {
      signal,
    });
    retry.addEventListener("click", () => bus.emit("retry-failed-requested"), { signal });
    clear.addEventListener("click", () => bus.emit("clear-images-requested"), { signal });
    for (const format of ["annotated", "csv", "json"]) {
      elements[format].addEventListener(
        "click",
        () => bus.emit("download-requested", { format, ids: null }),
        { signal },
      );
    }
  }

  #takeAll(items) {
    this.#items = new Map(items.map((item) => [item.id, item]));
    this.#show();
  }

  #take(item) {
    this.#items.set(item.id, item);
    this.#show();
  }

  #showBusy(isBusy) {
    this.#elements.annotated.setAttribute("aria-busy", String(isBusy));
    this.#elements.annotated.disabled = isBusy;
  }

  #show() {
    const { section, count, progress, annotated, csv, json, retry } = this.#elements;
    const counts = countStates([...this.#items.values()]);
    section.hidden = counts.total === 0;
    count.textContent = describeCounts(counts);
    progress.hidden = counts.pending === 0 || counts.total < 2;
    const percent =
      counts.total > 0 ? Math.round((100 * (counts.total - counts.pending)) / counts.total) : 0;
    progress.setAttribute("aria-valuenow", String(percent));
    progress.firstElementChild.style.setProperty("transform", `scaleX(${percent / 100})`);
    annotated.disabled = annotated.getAttribute("aria-busy") === "true" || counts.done === 0;
    csv.disabled = json.disabled = counts.done + counts.failed === 0;
    retry.hidden = counts.failed === 0;
  }
}

/** @param {ReturnType<typeof countStates>} counts */
export function describeCounts({ total, done, failed, pending }) {
  const says =
    pending > 0
      ? t("{done} of {total} analysed", { done: formatNumber(done), total: formatNumber(total) })
      : plural(total, "{count} picture", "{count} pictures");
  const trouble = plural(failed, "{count} not analysed", "{count} not analysed");
  return failed > 0 ? `${says}, ${trouble}` : says;
}

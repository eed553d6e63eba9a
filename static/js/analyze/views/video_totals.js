/** Shows how all videos together stand, and what can be done with all of them. */
import { describeTotals, totalsOf } from "../video_progress.js";

export class VideoTotalsView {
  #elements;

  /**
   * @param {{count: HTMLElement, progress: HTMLElement, csv: HTMLButtonElement, stop:
   *   HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits video-table-requested and
   *   videos-stop-requested
   */
  constructor(elements, bus) {
    this.#elements = elements;
    elements.csv.addEventListener("click", () => bus.emit("video-table-requested", {}));
    elements.stop.addEventListener("click", () => bus.emit("videos-stop-requested", {}));
    bus.on("videos-changed", ({ videos }) => this.#show(totalsOf(videos)));
  }

  #show(totals) {
    const { count, progress, csv, stop } = this.#elements;
    const isSeveral = totals.count > 1;
    count.hidden = !isSeveral;
    count.textContent = isSeveral ? describeTotals(totals) : "";
    progress.hidden = !isSeveral || totals.pending === 0;
    progress.setAttribute("aria-valuenow", String(Math.round(100 * totals.progress)));
    /** @type {HTMLElement} */ (progress.firstElementChild).style.setProperty(
      "transform",
      `scaleX(${totals.progress})`,
    );
    csv.hidden = totals.finished < 2;
    stop.hidden = totals.pending < 2;
  }
}

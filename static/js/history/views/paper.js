/** Paper is white and has its own width; a canvas does not follow by itself. */

/** A card's inside on A4 with the margins of print.css, at CSS's 96 dots an inch. */
const PAPER_PX = 660;

export class PaperView {
  #bus;
  #theme = null;

  /**
   * @param {import("../../shared/event_bus.js").EventBus} bus emits print-changed {widthPx}, 0 for
   *   the screen
   */
  constructor(bus) {
    const { signal } = bus;
    this.#bus = bus;
    matchMedia("print").addEventListener("change", ({ matches }) => this.#print(matches), {
      signal,
    });
    globalThis.addEventListener("beforeprint", () => this.#print(true), { signal });
    globalThis.addEventListener("afterprint", () => this.#print(false), { signal });
  }

  #print(isPrinting) {
    if (isPrinting === (this.#theme !== null)) return;
    const root = document.documentElement;
    if (isPrinting) {
      this.#theme = root.dataset.theme ?? "light";
      root.dataset.theme = "light";
    } else {
      root.dataset.theme = this.#theme;
      this.#theme = null;
    }
    this.#bus.emit("print-changed", { widthPx: isPrinting ? PAPER_PX : 0 });
  }
}

/**
 * Tells whether anybody can see the page: in its tab, or in a small window that stays over others.
 *
 * Emits sight-changed {isHidden}.
 */
export class Sight {
  #page;
  #bus;
  #hasScreen = false;

  /**
   * @param {Document} page
   * @param {import("../shared/event_bus.js").EventBus} bus
   */
  constructor(page, bus) {
    this.#page = page;
    this.#bus = bus;
    page.addEventListener("visibilitychange", () => this.#tell(), { signal: bus.signal });
    bus.on("pip-changed", ({ screen }) => {
      this.#hasScreen = screen !== null;
      this.#tell();
    });
  }

  #tell() {
    this.#bus.emit("sight-changed", { isHidden: this.#page.hidden && !this.#hasScreen });
  }
}

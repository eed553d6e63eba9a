/**
 * Asks how the receivers of events do, while somebody looks at them.
 *
 * Emits receivers-changed {receivers: {name, kind, state, reason, dropped}[]}.
 */
import { sitePath } from "../shared/site_path.js";
const PATH = sitePath("/api/v1/events/receivers");
const EVERY_MS = 2000;

export class ReceiverStates {
  #deps;
  #timer = null;

  /**
   * @param {object} deps
   * @param {{get: (url: string) => Promise<any>}} deps.requests
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   */
  constructor(deps) {
    this.#deps = deps;
    deps.bus.on("drawer-changed", ({ isOpen }) => (isOpen ? this.#begin() : this.#end()));
    deps.bus.signal.addEventListener("abort", () => this.#end(), { once: true });
  }

  #begin() {
    this.#end();
    this.#timer = setInterval(() => this.#ask(), EVERY_MS);
    void this.#ask();
  }

  #end() {
    clearInterval(this.#timer ?? undefined);
    this.#timer = null;
  }

  async #ask() {
    try {
      const { receivers } = await this.#deps.requests.get(PATH);
      if (Array.isArray(receivers)) this.#deps.bus.emit("receivers-changed", { receivers });
    } catch {
      // The connection's own sign says that the server is away; the next answer mends the list.
    }
  }
}

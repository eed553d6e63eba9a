/**
 * Keeps what people are called while the page is live, and tells the server: for watchers, and for
 * the recording where there is one.
 *
 * Emits: names-changed {names}: by the face's id.
 */
import { parseNameAck } from "../shared/protocol.js";
import { t } from "../shared/words.js";

const MAX_NAME = 80;

export class PersonNames {
  #deps;
  /** @type {Map<number, string>} */
  #names = new Map();
  /** Ids of those that the server has to hear of. */
  #untold = new Set();
  #isRecorded = false;
  #isSending = false;

  /**
   * @param {object} deps
   * @param {{ask: (event: string, payload: object) => Promise<unknown>}} deps.socket
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   */
  constructor(deps) {
    const { bus } = (this.#deps = deps);
    bus.on("person-named", ({ id, name }) => this.#name(id, name));
    bus.on("recording-changed", ({ state, isLive }) => this.#follow(isLive && state));
    bus.on("session-changed", ({ state }) => state !== "live" && this.#forget());
    // With a new connection numbers begin anew: a name may not stay with somebody else's.
    bus.on("connection-changed", ({ state }) => state !== "connected" && this.#forget());
  }

  #name(id, text) {
    const name = text.trim().slice(0, MAX_NAME);
    if (name === (this.#names.get(id) ?? "")) return;
    if (name) this.#names.set(id, name);
    else this.#names.delete(id);
    this.#untold.add(id);
    this.#tellPage();
    void this.#send();
  }

  #follow(state) {
    const wasRecorded = this.#isRecorded;
    this.#isRecorded = state === "recording";
    if (this.#isRecorded && !wasRecorded) for (const id of this.#names.keys()) this.#untold.add(id);
    void this.#send();
  }

  #forget() {
    this.#untold.clear();
    if (this.#names.size === 0) return;
    this.#names.clear();
    this.#tellPage();
  }

  #tellPage() {
    this.#deps.bus.emit("names-changed", { names: new Map(this.#names) });
  }

  async #send() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      let isAnswered = true;
      while (isAnswered && this.#untold.size > 0) {
        const [id] = this.#untold;
        this.#untold.delete(id);
        isAnswered = await this.#store(id);
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** @returns {Promise<boolean>} whether the server answered */
  async #store(id) {
    const { socket, bus } = this.#deps;
    const wasRecorded = this.#isRecorded;
    try {
      parseNameAck(await socket.ask("name", { face: id, name: this.#names.get(id) ?? "" }));
    } catch (error) {
      if (error.name === "DisconnectedError") return false;
      // It is tried again with the next news of the recording.
      if (error.name === "AckTimeoutError") return (this.#untold.add(id), false);
      // Watchers see it all the same, and a recording that begins is told all names.
      if (error.code === "recording_refused" && !wasRecorded) return true;
      const told = { id: "name", tone: "error", title: t("The name is not stored"), lastsMs: 8000 };
      bus.emit("message", { ...told, text: error.message });
    }
    return true;
  }
}

/**
 * Keeps markers from the moment they are set until the server has them. They get the page's own
 * time and are named at once; while the connection is away they wait.
 *
 * @typedef {object} LocalMarker
 * @property {string} session
 * @property {number} atS seconds since the session's start
 * @property {string} text
 * @property {string | null} id the server's; null until it has it
 */
import { parseMarkerAck } from "../shared/protocol.js";
import { t } from "../shared/words.js";

export class MarkerQueue {
  #deps;
  /** @type {LocalMarker[]} */
  #waiting = [];
  #isSending = false;

  /**
   * @param {object} deps
   * @param {{ask: (event: string, payload: object) => Promise<unknown>}} deps.socket
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {(session: string, id: string, changes: {text: string}) => Promise<unknown>} deps.rename
   */
  constructor(deps) {
    this.#deps = deps;
  }

  /**
   * @param {{session: string, atS: number}} moment
   * @returns {LocalMarker}
   */
  add({ session, atS }) {
    const marker = { session, atS, text: "", id: null };
    this.#waiting.push(marker);
    this.#deps.bus.emit("marker-added", { marker });
    void this.send();
    return marker;
  }

  /** @param {LocalMarker} marker @param {string} text */
  async name(marker, text) {
    marker.text = text;
    if (marker.id === null) return;
    try {
      await this.#deps.rename(marker.session, marker.id, { text });
    } catch (error) {
      this.#tell(t("The marker has no name"), error);
    }
  }

  /** Sends what waits, in order; called again when the session goes on. */
  async send() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      while (this.#waiting.length > 0 && (await this.#store(this.#waiting[0])))
        this.#waiting.shift();
    } finally {
      this.#isSending = false;
    }
  }

  /** @param {LocalMarker} marker @returns {Promise<boolean>} whether it is done with */
  async #store(marker) {
    const { text } = marker;
    try {
      const sent = await this.#deps.socket.ask("marker", { text, at_s: marker.atS });
      marker.id = parseMarkerAck(sent).id;
    } catch (error) {
      if (["DisconnectedError", "AckTimeoutError"].includes(error.name)) return false;
      this.#tell(t("The marker was not set"), error);
      return true;
    }
    if (marker.text !== text) await this.name(marker, marker.text);
    return true;
  }

  #tell(title, { message }) {
    const told = { id: "marker", tone: "error", title, text: message, lastsMs: 8000 };
    this.#deps.bus.emit("message", told);
  }
}

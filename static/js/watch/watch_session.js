/**
 * Decides what the watch page shows, from what the server says: is anybody live, and the newest
 * view with its picture.
 *
 * Emits, as the live page's parts do: session-changed {state: "live" | "idle"}, result {faces,
 * capturedMs}, video-frame {capturedMs}. And of its own: watch-changed (see Watched), picture
 * {bitmap} (null: none is shown), frame-size {width, height}, names-changed {names}.
 *
 * @typedef {object} Watched
 * @property {"connecting" | "waiting" | "quiet" | "live" | "over"} state quiet: live, but no result
 *   comes
 * @property {string} name of the link
 * @property {boolean} hasVideo
 * @property {number} watchers
 * @property {number} people in view
 * @property {{title: string, text: string, steps: readonly string[]} | null} farewell why it is
 *   over
 */

/** A page in the background, or a frozen camera, sends nothing. */
export const QUIET_MS = 3000;

export class WatchSession {
  #bus;
  #decode;
  #now;
  #watched = {
    state: "connecting",
    name: "",
    hasVideo: false,
    watchers: 0,
    people: 0,
    farewell: null,
  };
  #viewMs = -Infinity;
  #isConnected = false;
  #isLive = false;
  #turn = 0;
  /** @type {Map<number, string>} */
  #names = new Map();
  #shownTurn = 0;

  /**
   * @param {object} deps
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {(jpeg: ArrayBuffer | Uint8Array) => Promise<{close: () => void}>} deps.decode
   * @param {() => number} deps.now milliseconds
   */
  constructor({ bus, decode, now }) {
    this.#bus = bus;
    this.#decode = decode;
    this.#now = now;
  }

  /** @param {import("../shared/protocol.js").WatchState} state */
  stateCame({ isLive, hasVideo, name, watchers }) {
    this.#isConnected = true;
    if (isLive && !this.#isLive) this.#viewMs = this.#now();
    // With another stream numbers begin anew.
    if (!isLive) this.#setNames(new Map());
    this.#isLive = isLive;
    if (!hasVideo || !isLive) this.#showPicture(null);
    this.#become({ name, hasVideo, watchers });
  }

  /**
   * A picture that is decoded after a newer one is dropped.
   *
   * @param {import("../shared/protocol.js").WatchView} view
   */
  async viewCame({ jpeg, ...view }) {
    const turn = ++this.#turn;
    this.#viewMs = this.#now();
    // A picture that cannot be decoded is left out: the boxes are right all the same.
    const bitmap = jpeg === null ? null : await this.#decode(jpeg).catch(() => null);
    if (turn < this.#shownTurn || !this.#isLive || this.#watched.farewell) return bitmap?.close();
    this.#shownTurn = turn;
    this.#become({ people: view.faces.length });
    this.#bus.emit("frame-size", view.size);
    if (!this.#watched.hasVideo) bitmap?.close();
    this.#showPicture(this.#watched.hasVideo ? bitmap : null);
    this.#tellNames(view.faces);
    this.#bus.emit("result", { seq: turn, faces: view.faces, capturedMs: view.capturedMs });
    this.#bus.emit("video-frame", { capturedMs: view.capturedMs });
  }

  /** What the host calls people; a face that is missed for a moment keeps its name. */
  #tellNames(faces) {
    const names = new Map(this.#names);
    for (const { id, name } of faces) {
      if (name === undefined) names.delete(id);
      else names.set(id, name);
    }
    this.#setNames(names);
  }

  #setNames(names) {
    if (JSON.stringify([...names]) === JSON.stringify([...this.#names])) return;
    this.#names = names;
    this.#bus.emit("names-changed", { names });
  }

  /** @param {{state: string}} change of the connection */
  connectionChanged({ state }) {
    this.#isConnected = this.#isConnected && state === "connected";
    if (!this.#isConnected) this.#isLive = false;
    this.#become({});
  }

  /** @param {Watched["farewell"]} farewell */
  end(farewell) {
    this.#showPicture(null);
    this.#become({ farewell });
  }

  /** Call now and then: notices that no result comes any more. */
  tick() {
    this.#become({});
  }

  #become(changes) {
    const before = this.#watched;
    this.#watched = { ...before, ...changes };
    this.#watched.state = this.#state();
    const { state } = this.#watched;
    if (state !== "live") this.#watched.people = 0;
    if ((state === "live") !== (before.state === "live")) {
      this.#bus.emit("session-changed", { state: state === "live" ? "live" : "idle" });
    }
    if (Object.keys(this.#watched).some((key) => this.#watched[key] !== before[key])) {
      this.#bus.emit("watch-changed", this.#watched);
    }
  }

  #state() {
    if (this.#watched.farewell) return "over";
    if (!this.#isConnected) return "connecting";
    if (!this.#isLive) return "waiting";
    return this.#now() - this.#viewMs > QUIET_MS ? "quiet" : "live";
  }

  #showPicture(bitmap) {
    this.#bus.emit("picture", { bitmap });
  }
}

/**
 * Says what of the live stream the server keeps: asks for it, goes on after a lost connection, and
 * says how it stands.
 *
 * @typedef {"off" | "starting" | "recording" | "paused" | "problem"} RecordingState
 *   off: no camera runs, or nothing of this stream was wanted; paused: some of it is kept already
 */
import { parseMarkerAck, parseRecordAck } from "../shared/protocol.js";

const RETRY_MS = 2000;

export class Recording {
  #deps;
  #isWanted;
  #isLive = false;
  #session = null;
  #state = "off";
  #startedMs = 0;
  #attempt = 0;

  /**
   * @param {object} deps
   * @param {{isConnected: boolean, ask: (event: string, payload: object) => Promise<unknown>}}
   *   deps.socket
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {() => number} deps.now milliseconds
   * @param {boolean} deps.isWanted
   */
  constructor({ isWanted, ...deps }) {
    this.#deps = deps;
    this.#isWanted = isWanted;
  }

  get isWanted() {
    return this.#isWanted;
  }

  /** Says how it stands, for views that have just begun to listen. */
  tell() {
    this.#become(this.#state);
  }

  /** @param {boolean} isWanted */
  async setWanted(isWanted) {
    this.#isWanted = isWanted;
    if (!this.#isLive) return this.tell();
    if (isWanted) return this.#record();
    return this.#pause();
  }

  /** The camera runs and frames flow. */
  async streamStarted() {
    this.#isLive = true;
    this.#session = null;
    if (this.#isWanted) return this.#record();
    return this.#become("off");
  }

  /** The camera is off, and with it the session is over. */
  streamEnded() {
    if (!this.#isLive) return;
    const session = this.#session;
    this.#isLive = false;
    this.#session = null;
    this.#attempt += 1;
    this.#become("off", { finished: session });
  }

  /** The connection is back: the server waits a little for a session to be continued. */
  async connected() {
    if (this.#isLive && this.#isWanted) return this.#record();
    return undefined;
  }

  /** @param {{session: string}} saved by the server: rows are in its database */
  saved({ session }) {
    if (!this.#isLive || !this.#isWanted || this.#state === "paused") return;
    // The answer to `record` may have been lost on its way.
    this.#session ??= session;
    if (session === this.#session && this.#state !== "recording") this.#become("recording");
  }

  /**
   * @param {import("../shared/protocol.js").WireError} error why the server cannot record; the live
   *   view goes on
   */
  failed(error) {
    if (this.#isLive) this.#become("problem", { problem: error });
  }

  /** Marks this moment. Emits marker-added. */
  async mark() {
    if (this.#state !== "recording") return;
    try {
      const marker = parseMarkerAck(
        await this.#deps.socket.ask("marker", { text: "", at_s: null }),
      );
      this.#deps.bus.emit("marker-added", { session: this.#session, ...marker });
    } catch (error) {
      const title = "The marker was not set";
      this.#deps.bus.emit("message", {
        id: "marker",
        tone: "error",
        title,
        text: error.message,
        lastsMs: 8000,
      });
    }
  }

  async #record() {
    const attempt = ++this.#attempt;
    this.#become("starting");
    try {
      const session = await this.#open();
      if (attempt !== this.#attempt) return;
      if (session !== this.#session) this.#startedMs = this.#deps.now();
      this.#session = session;
      this.#become("recording");
    } catch (error) {
      if (attempt === this.#attempt) this.#refused(error);
    }
  }

  /**
   * @returns {Promise<string>} the session that is recorded; a new one when the old one cannot go
   *   on
   */
  async #open() {
    try {
      return await this.#ask(this.#session);
    } catch (error) {
      if (this.#session === null || error.code === undefined || error.retryable) throw error;
      return this.#ask(null);
    }
  }

  async #ask(session) {
    const answer = await this.#deps.socket.ask("record", { on: true, session, name: null });
    return parseRecordAck(answer).session;
  }

  async #pause() {
    const attempt = ++this.#attempt;
    this.#become(this.#session === null ? "off" : "paused");
    try {
      parseRecordAck(await this.#deps.socket.ask("record", { on: false }));
    } catch (error) {
      if (attempt === this.#attempt) this.#refused(error);
    }
  }

  #refused(error) {
    // When the connection is back, connected() tries again.
    if (error.name === "DisconnectedError") return;
    const retryable = error.retryable ?? true;
    this.failed({ code: error.code ?? "no_answer", message: error.message, retryable });
    if (retryable) this.#retryLater(this.#attempt);
  }

  #retryLater(attempt) {
    const isStillWanted = () =>
      attempt === this.#attempt && this.#isLive && this.#state === "problem";
    setTimeout(
      () => isStillWanted() && (this.#isWanted ? this.#record() : this.#pause()),
      RETRY_MS,
    );
  }

  #become(state, { problem = null, finished = null } = {}) {
    this.#state = state;
    this.#deps.bus.emit("recording-changed", {
      state,
      isWanted: this.#isWanted,
      isLive: this.#isLive,
      session: this.#session,
      startedMs: this.#startedMs,
      problem,
      finished,
    });
  }
}

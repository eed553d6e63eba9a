/**
 * Says what of the live stream the server keeps: asks for it, goes on after a lost connection, and
 * says how it stands.
 *
 * @typedef {"off" | "starting" | "recording" | "paused" | "problem"} RecordingState
 *   off: no camera runs, or nothing of this stream was wanted; paused: some of it is kept already
 *
 * @typedef {"connection" | "pause" | "tab" | "face" | "results" | null} Hindrance why nothing is
 *   stored although the server would: the connection is away, the picture is paused, the tab is
 *   hidden, nobody is in the picture, results do not come
 */
import { parseRecordAck } from "../shared/protocol.js";

const RETRY_MS = 2000;
/** The server stores twice a second; after so long without, nothing was there to store. */
const QUIET_MS = 2500;

export class Recording {
  #deps;
  #isWanted;
  #isLive = false;
  #session = null;
  #state = "off";
  /** Of the session's start, on this page's clock. */
  #startedMs = 0;
  #storedS = 0;
  /** Of the stored time, without the time in which nothing could be stored. */
  #keptS = 0;
  #awayMs = 0;
  #awaySinceMs = null;
  #activeMs = 0;
  #isConnected = true;
  #isHidden = false;
  #isPaused = false;
  #faces = 0;
  #hindrance = null;
  #attempt = 0;

  /**
   * @param {object} deps
   * @param {{ask: (event: string, payload: object) => Promise<unknown>}} deps.socket
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

  /** Whether a session is under way, of which more may be stored. */
  get isUnderWay() {
    return this.#isLive && this.#isWanted && this.#session !== null;
  }

  /** Says how it stands, for views that have just begun to listen. */
  tell() {
    this.#become(this.#state);
  }

  /** @param {boolean} isWanted */
  async setWanted(isWanted) {
    this.#isWanted = isWanted;
    this.#noteAway();
    if (!this.#isLive) return this.tell();
    if (isWanted) return this.#record();
    return this.#pause();
  }

  /** The camera runs and frames flow. */
  async streamStarted() {
    this.#isLive = true;
    this.#session = null;
    this.#countFromNow();
    this.#faces = 0;
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

  /** @param {boolean} isConnected after a loss the server lets a session go on */
  async connectionChanged(isConnected) {
    const isBack = isConnected && !this.#isConnected;
    this.#isConnected = isConnected;
    this.#noteAway();
    // Until the server has agreed nothing is recorded: markers wait for it too.
    if (isBack && this.#isLive && this.#isWanted) return this.#record();
    return this.check();
  }

  /** @param {boolean} isHidden nobody can see the page, and no frames are sent */
  setHidden(isHidden) {
    this.#isHidden = isHidden;
    this.#wait(isHidden);
  }

  /** @param {boolean} isPaused the picture stands still, and no frames are sent */
  setPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#wait(isPaused);
  }

  #wait(isWaiting) {
    this.#noteAway();
    if (!isWaiting) this.#activeMs = this.#deps.now();
    this.check();
  }

  #noteAway() {
    const isAway = !this.#isWanted || !this.#isConnected || this.#isHidden || this.#isPaused;
    if (isAway) this.#awaySinceMs ??= this.#deps.now();
    else if (this.#awaySinceMs !== null) {
      this.#awayMs += this.#deps.now() - this.#awaySinceMs;
      this.#awaySinceMs = null;
    }
  }

  #countFromNow() {
    [this.#storedS, this.#keptS, this.#awayMs, this.#awaySinceMs] = [0, 0, 0, null];
    this.#noteAway();
  }

  /** @param {{session: string, untilS: number}} saved by the server: rows are in its database */
  saved({ session, untilS }) {
    if (!this.#isLive || !this.#isWanted || this.#state === "paused") return;
    if (this.#session === null) {
      // The answer to `record` was lost on its way.
      this.#session = session;
      this.#startedMs = this.#deps.now() - untilS * 1000;
    }
    if (session !== this.#session) return;
    this.#storedS = untilS;
    // What was on its way before a pause may come after it: the clock never goes back.
    this.#keptS = Math.max(this.#keptS, untilS - this.#awayMs / 1000);
    this.#activeMs = this.#deps.now();
    this.#become("recording");
  }

  /**
   * @param {import("../shared/protocol.js").WireError} error why the server cannot record; the live
   *   view goes on
   */
  failed(error) {
    if (this.#isLive) this.#become("problem", { problem: error });
  }

  /** @param {number} faces in the newest result */
  see(faces) {
    this.#faces = faces;
  }

  /** Looks again what keeps anything from being stored; called now and then. */
  check() {
    if (this.#findHindrance() !== this.#hindrance) this.#become(this.#state);
  }

  /** @returns {{session: string, atS: number} | null} this moment of the session under way */
  moment() {
    if (!this.isUnderWay) return null;
    return { session: this.#session, atS: (this.#deps.now() - this.#startedMs) / 1000 };
  }

  #findHindrance() {
    if (!this.isUnderWay || this.#state === "paused") return null;
    if (!this.#isConnected) return "connection";
    if (this.#isPaused) return "pause";
    if (this.#isHidden) return "tab";
    if (this.#state !== "recording") return null;
    if (this.#deps.now() - this.#activeMs <= QUIET_MS) return null;
    return this.#faces === 0 ? "face" : "results";
  }

  async #record() {
    const attempt = ++this.#attempt;
    this.#become("starting");
    try {
      const session = await this.#open();
      if (attempt !== this.#attempt) return;
      this.#activeMs = this.#deps.now();
      if (session !== this.#session) {
        this.#startedMs = this.#activeMs;
        this.#countFromNow();
      }
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
    // When the connection is back, connectionChanged() tries again.
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
    this.#hindrance = this.#findHindrance();
    this.#deps.bus.emit("recording-changed", {
      state,
      hindrance: this.#hindrance,
      isWanted: this.#isWanted,
      isLive: this.#isLive,
      session: this.#session,
      storedS: this.#storedS,
      keptS: this.#keptS,
      problem,
      finished,
    });
  }
}

/**
 * Controls the flow: which frame is sent, and when.
 *
 * Only the newest frame ever waits. As many as the flow controller allows are encoded or unanswered;
 * while the page is hidden or the connection is away nothing is sent and nothing is kept, so there is nothing to
 * replay.
 *
 * @typedef {object} FrameAnswer
 * @property {number} seq
 * @property {number} capturedMs
 * @property {import("../shared/protocol.js").Face[]} faces
 * @property {Record<string, number>} timingsMs of the server
 * @property {number} roundTripMs from sending to the answer
 * @property {number} latencyMs from the capture to the answer
 * @property {{width: number, height: number, bytes: number, quality: number, fps: number, inFlight:
 *   number, encodeMs: number}} frame as sent; inFlight: how many were allowed
 *
 * @typedef {object} FrameTransport
 * @property {boolean} isConnected
 * @property {(header: {seq: number, captured_ms: number, heatmap?: true, settings?:
 *   Record<string, number>}, bytes: ArrayBuffer) =>
 *   Promise<unknown>} sendFrame rejects with an Error whose name is "AckTimeoutError" when no
 *   answer came in time
 */
import { parseAck } from "../shared/protocol.js";
import { t } from "../shared/words.js";

/** A frame may come this much before its turn: cameras jitter. */
const EARLY_MS = 6;
/** An encoded frame that waits for its turn longer than this gives way to a newer one. */
const FRESH_MS = 40;
/**
 * Pause after a refusal, twice as long after each further one: a full server must not be hammered.
 */
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 4000;

export class FramePump {
  #deps;
  #seq = 0;
  #epoch = 0;
  #isRunning = false;
  #isHidden = false;
  #wantsHeatmap = false;
  #settings = {};
  #isEncoding = false;
  #isSuspect = false;
  #refusals = 0;
  /** Frames being encoded, and those sent and not yet answered. */
  #inFlight = 0;
  #unanswered = 0;
  /** An encoded frame for which there is no room yet. */
  #held = null;
  #waiting = null;
  #dueMs = -Infinity;
  #newestSeq = -1;

  /**
   * @param {object} deps
   * @param {{encode: (settings: any) => Promise<import("./frame_encoder.js").EncodedFrame | null>}}
   *   deps.encoder
   * @param {FrameTransport} deps.transport
   * @param {import("./flow_controller.js").FlowController} deps.controller
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {import("../shared/options.js").Options} deps.options
   * @param {() => number} deps.now milliseconds on the clock of the capture times
   */
  constructor(deps) {
    this.#deps = deps;
  }

  start() {
    this.#isRunning = true;
    this.#reset();
  }

  stop() {
    this.#isRunning = false;
    this.#reset();
  }

  /** @param {boolean} isHidden nobody can see the page */
  setHidden(isHidden) {
    this.#isHidden = isHidden;
    this.#waiting = null;
    this.#deps.controller.forget();
  }

  /** @param {boolean} isWanted whether faces are asked for with heat maps */
  setHeatmap(isWanted) {
    this.#wantsHeatmap = isWanted;
  }

  /** @param {Record<string, number>} settings in place of the server's own, see docs/protocol.md */
  setSettings(settings) {
    this.#settings = settings;
  }

  /** The connection came or went. */
  connectionChanged() {
    this.#waiting = null;
    this.#isSuspect = false;
    this.#deps.controller.forget();
  }

  /** @param {{capturedMs: number}} frame that the video shows now; replaces one that still waits */
  offer(frame) {
    if (!this.#isOpen() || frame.capturedMs < this.#dueMs - EARLY_MS) return;
    this.#waiting = frame;
    this.#sendIfFree();
  }

  #reset() {
    this.#epoch += 1;
    this.#release(false);
    this.#waiting = null;
    this.#dueMs = -Infinity;
    this.#deps.controller.forget();
  }

  #isOpen() {
    return this.#isRunning && !this.#isHidden && this.#deps.transport.isConnected;
  }

  #sendIfFree() {
    if (!this.#waiting || this.#isEncoding || !this.#isOpen()) return;
    const { controller } = this.#deps;
    const settings = controller.settings;
    if (this.#inFlight >= this.#allowed(settings) + this.#ahead(settings))
      return controller.recordBlocked();
    const { capturedMs } = this.#waiting;
    this.#waiting = null;
    this.#schedule(capturedMs, 1000 / settings.fps);
    void this.#deliver(capturedMs, settings, this.#epoch);
  }

  /** After a time-out the answer may just be late: one frame at a time until the server answers again. */
  #allowed({ inFlight }) {
    return this.#isSuspect ? 1 : inFlight;
  }

  /** On a path that would hold more than the server allows, the next frame is encoded meanwhile. */
  #ahead(settings) {
    const isBound = this.#allowed(settings) >= this.#deps.options.maxInFlight;
    if (isBound && this.#held && this.#waiting.capturedMs - this.#held.capturedMs > FRESH_MS)
      this.#release(false);
    return isBound && !this.#held ? 1 : 0;
  }

  /** @returns {Promise<boolean>} true when there is room, false when the frame is too old by then */
  #room(capturedMs, settings) {
    if (this.#unanswered < this.#allowed(settings)) return Promise.resolve(true);
    this.#deps.controller.recordBlocked();
    return new Promise((tell) => (this.#held = { capturedMs, tell }));
  }

  #release(isRoom) {
    this.#held?.tell(isRoom);
    this.#held = null;
  }

  /**
   * A beat that is kept on average, though the camera's does not divide it; one that was missed is
   * not caught up.
   */
  #schedule(capturedMs, intervalMs) {
    const isOnBeat = capturedMs - this.#dueMs < intervalMs;
    this.#dueMs = (isOnBeat ? this.#dueMs : capturedMs) + intervalMs;
  }

  async #deliver(capturedMs, settings, epoch) {
    this.#inFlight += 1;
    try {
      const beganMs = this.#deps.now();
      const encoded = await this.#encode(settings);
      const encodeMs = this.#deps.now() - beganMs;
      const isSent = encoded && (await this.#room(capturedMs, settings));
      if (isSent && epoch === this.#epoch && this.#isOpen())
        await this.#send({ ...encoded, encodeMs }, capturedMs, settings, epoch);
    } catch (error) {
      this.#deps.bus.emit("message", {
        id: "stream",
        tone: "error",
        title: t("Frame lost"),
        text: error.message,
      });
    } finally {
      this.#inFlight -= 1;
      this.#sendIfFree();
    }
  }

  async #encode(settings) {
    this.#isEncoding = true;
    try {
      return await this.#deps.encoder.encode(settings);
    } finally {
      this.#isEncoding = false;
    }
  }

  async #send({ bytes, width, height, encodeMs }, capturedMs, settings, epoch) {
    const { transport, options, now } = this.#deps;
    const seq = this.#seq++;
    const frame = {
      width,
      height,
      bytes: bytes.byteLength,
      quality: settings.quality,
      fps: settings.fps,
      inFlight: settings.inFlight,
      encodeMs,
    };
    if (frame.bytes > options.maxFrameBytes) return this.#tooLarge(seq);
    // The slot of the encoder is free again: the next frame may be encoded while this one travels.
    const sentMs = now();
    let ack;
    this.#unanswered += 1;
    try {
      const heatmap = this.#wantsHeatmap ? { heatmap: true } : {};
      const chosen = Object.keys(this.#settings).length > 0 ? { settings: this.#settings } : {};
      const answering = transport.sendFrame(
        { seq, captured_ms: capturedMs, ...heatmap, ...chosen },
        bytes,
      );
      this.#sendIfFree();
      ack = parseAck(await answering, { emotions: options.emotions, seq });
    } catch (error) {
      if (epoch === this.#epoch) this.#failed(seq, error);
      return;
    } finally {
      this.#unanswered -= 1;
      if (this.#unanswered < this.#allowed(this.#deps.controller.settings)) this.#release(true);
    }
    this.#isSuspect = false;
    if (epoch !== this.#epoch) return;
    const nowMs = now();
    this.#answered(ack, {
      seq,
      capturedMs,
      frame,
      roundTripMs: nowMs - sentMs,
      latencyMs: nowMs - capturedMs,
    });
  }

  #answered(ack, sent) {
    const { bus, controller, now } = this.#deps;
    if (ack.kind === "refused") return this.#refused(sent.seq, ack.error, ack.retryAfterMs);
    this.#refusals = 0;
    if (ack.kind === "dropped") {
      controller.recordDrop("server", now());
      return this.#dropped(sent.seq, ack.reason);
    }
    const { wait = 0, total = 0 } = ack.timingsMs;
    const { bytes, encodeMs } = sent.frame;
    const { roundTripMs } = sent;
    controller.recordResult({ roundTripMs, waitMs: wait, serverMs: total, encodeMs, bytes }, now());
    // An answer that was overtaken must not move the boxes back.
    if (sent.seq <= this.#newestSeq) return this.#dropped(sent.seq, "overtaken");
    this.#newestSeq = sent.seq;
    bus.emit("result", { ...sent, faces: ack.faces, timingsMs: ack.timingsMs });
  }

  #dropped(seq, reason) {
    this.#deps.bus.emit("frame-dropped", { seq, reason });
  }

  #refused(seq, error, retryAfterMs = 0) {
    const { bus, controller, now } = this.#deps;
    if (error.code === "frame_too_large") controller.recordTooLarge();
    const ownMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#refusals);
    const pauseMs = Math.max(ownMs, retryAfterMs);
    this.#refusals += 1;
    this.#waiting = null;
    this.#dueMs = now() + pauseMs;
    bus.emit("frame-refused", { seq, error });
  }

  #failed(seq, error) {
    const { controller, transport, now } = this.#deps;
    if (error.name === "AckTimeoutError") {
      this.#isSuspect = true;
      controller.recordDrop("timeout", now());
      this.#dropped(seq, "timeout");
    } else if (error.name === "ProtocolError") {
      this.#refused(seq, { code: "bad_answer", message: error.message, retryable: true });
    } else if (transport.isConnected) {
      throw error;
    } else {
      this.#dropped(seq, "disconnected");
    }
  }

  #tooLarge(seq) {
    this.#deps.controller.recordTooLarge();
    this.#dropped(seq, "too_large");
  }
}

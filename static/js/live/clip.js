/**
 * Records a clip of the picture with its overlay, in this browser alone.
 *
 * Emits clip-changed, see Clip, and clip-ended {blob, ending, seconds, reason}: what was recorded,
 * and why it ended.
 *
 * @typedef {"asked" | "time" | "size" | "stream" | "error"} ClipReason asked: by the person; time,
 *   size: the longest or largest that is allowed; stream: the camera or the film ended
 *
 * @typedef {object} Clip
 * @property {"off" | "recording" | "paused"} state
 * @property {number} seconds in the clip so far
 * @property {number} longestS that it may get
 * @property {number} bytes of it
 * @property {string} problem why this browser cannot record; empty where it can
 */
import { t } from "../shared/words.js";

export const MAX_CLIP_S = 600;
/** Ten minutes at the rate below, and a quarter more: it lies in the browser's memory. */
export const MAX_CLIP_BYTES = 240_000_000;
const BITS_PER_SECOND = 2_500_000;
const FRAMES_PER_SECOND = 30;
const CHUNK_MS = 1000;
const TICK_MS = 500;

/** The first that the browser writes: MP4 with H.264 plays everywhere, VP8 costs the least time. */
const KINDS = [
  { type: "video/mp4;codecs=avc1.42E01F", ending: "mp4" },
  { type: "video/webm;codecs=vp8", ending: "webm" },
  { type: "video/webm", ending: "webm" },
  { type: "video/mp4", ending: "mp4" },
];

export class ClipRecorder {
  #deps;
  #kind;
  #recorder = null;
  #chunks = [];
  #bytes = 0;
  #countedMs = 0;
  #sinceMs = null;
  #holds = new Set();
  #reason = "asked";
  #timer = 0;

  /**
   * @param {object} deps
   * @param {import("./composition.js").Composition} deps.composition
   * @param {typeof MediaRecorder | undefined} deps.Recorder of the browser
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {() => number} deps.now milliseconds
   */
  constructor(deps) {
    this.#deps = deps;
    const { Recorder, composition } = deps;
    const canCapture = Boolean(Recorder && composition.canvas.captureStream);
    this.#kind = canCapture ? KINDS.find(({ type }) => Recorder.isTypeSupported(type)) : undefined;
  }

  get isOn() {
    return this.#recorder !== null;
  }

  /** Says how it stands, for views that have just begun to listen. */
  tell() {
    this.#deps.bus.emit("clip-changed", {
      state: !this.isOn ? "off" : this.#holds.size > 0 ? "paused" : "recording",
      seconds: this.#countedS(),
      longestS: MAX_CLIP_S,
      bytes: this.#bytes,
      problem: this.#kind ? "" : t("This browser cannot record video."),
    });
  }

  start() {
    const { composition, Recorder } = this.#deps;
    if (this.isOn || !this.#kind || !composition.want("clip", true)) return;
    const stream = composition.canvas.captureStream(FRAMES_PER_SECOND);
    const options = { mimeType: this.#kind.type, videoBitsPerSecond: BITS_PER_SECOND };
    [this.#chunks, this.#bytes, this.#countedMs, this.#reason] = [[], 0, 0, "asked"];
    try {
      this.#recorder = new Recorder(stream, options);
      this.#listen(this.#recorder, stream);
      this.#recorder.start(CHUNK_MS);
    } catch {
      return this.#fail();
    }
    if (this.#holds.size > 0) this.#recorder.pause();
    else this.#sinceMs = this.#deps.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.tell();
  }

  /** @param {ClipReason} reason */
  stop(reason) {
    if (!this.isOn || this.#recorder.state === "inactive") return;
    this.#reason = reason;
    this.#count();
    this.#sinceMs = null;
    // The last chunk comes, then "stop".
    this.#recorder.stop();
  }

  /**
   * Nothing moves meanwhile, so nothing is recorded.
   *
   * @param {string} cause more than one may hold it
   * @param {boolean} isHeld
   */
  hold(cause, isHeld) {
    const wasHeld = this.#holds.size > 0;
    if (isHeld) this.#holds.add(cause);
    else this.#holds.delete(cause);
    const isNow = this.#holds.size > 0;
    if (!this.isOn || isNow === wasHeld || this.#recorder.state === "inactive") return;
    this.#count();
    this.#sinceMs = isNow ? null : this.#deps.now();
    if (isNow) this.#recorder.pause();
    else this.#recorder.resume();
    this.tell();
  }

  #listen(recorder, stream) {
    recorder.ondataavailable = ({ data }) => {
      if (recorder !== this.#recorder || data.size === 0) return;
      this.#chunks.push(data);
      this.#bytes += data.size;
      if (this.#bytes >= MAX_CLIP_BYTES) this.stop("size");
    };
    recorder.onerror = () => {
      this.#reason = "error";
      if (recorder.state !== "inactive") recorder.stop();
    };
    recorder.onstop = () => {
      for (const track of stream.getTracks()) track.stop();
      if (recorder === this.#recorder) this.#end();
    };
  }

  #tick() {
    this.#count();
    if (this.#countedS() >= MAX_CLIP_S) this.stop("time");
    this.tell();
  }

  #count() {
    if (this.#sinceMs === null) return;
    const nowMs = this.#deps.now();
    this.#countedMs += nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
  }

  #countedS() {
    return Math.min(MAX_CLIP_S, this.#countedMs / 1000);
  }

  #fail() {
    this.#reason = "error";
    this.#end();
  }

  #end() {
    clearInterval(this.#timer);
    const { type, ending } = this.#kind;
    const blob = new Blob(this.#chunks, { type: type.split(";")[0] });
    const ended = { blob, ending, seconds: this.#countedS(), reason: this.#reason };
    [this.#recorder, this.#chunks, this.#sinceMs] = [null, [], null];
    this.#deps.composition.want("clip", false);
    this.tell();
    this.#deps.bus.emit("clip-ended", ended);
  }
}

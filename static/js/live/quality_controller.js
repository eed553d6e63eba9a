/**
 * Chooses size, JPEG quality and rate of the frames from how the last ones fared. Pure: the time is
 * passed in.
 *
 * A slow network is helped by fewer bytes, a slow server by fewer frames, so the two are turned
 * down separately. Down at once, up slowly, and ever more slowly after a step up that did not last.
 *
 * @typedef {{longestSide: number, quality: number, fps: number}} FrameSettings
 */
import { percentile } from "./statistics.js";

const SIZES = [
  { longestSide: 640, quality: 0.8 },
  { longestSide: 640, quality: 0.65 },
  { longestSide: 512, quality: 0.65 },
  { longestSide: 416, quality: 0.6 },
  { longestSide: 320, quality: 0.6 },
];
const RATE_SHARES = [1, 0.85, 0.65, 0.45, 0.25, 0.1];

const SLOW_MS = 150;
const GOOD_MS = 100;
const MAX_DROP_SHARE = 0.1;
const REVIEW_MS = 1000;
const MIN_SAMPLES = 4;
const FIRST_PATIENCE_MS = 4000;
const LAST_PATIENCE_MS = 60_000;
/** A step down so soon after a step up means that the step up was wrong. */
const REGRET_MS = 5000;

export class QualityController {
  #maxFps;
  #size = 0;
  #rate = 0;
  #outcomes = [];
  #reviewedMs = null;
  #goodSinceMs = null;
  #wasBad = false;
  #steppedUpMs = -Infinity;
  #patienceMs = FIRST_PATIENCE_MS;

  /** @param {{maxFps: number}} options */
  constructor({ maxFps }) {
    this.#maxFps = maxFps;
  }

  /** @returns {FrameSettings} for the next frame */
  get settings() {
    return { ...SIZES[this.#size], fps: this.#maxFps * RATE_SHARES[this.#rate] };
  }

  /** @param {{roundTripMs: number, serverMs: number}} timing @param {number} nowMs */
  recordResult({ roundTripMs, serverMs }, nowMs) {
    this.#record({ roundTripMs, serverMs, droppedBy: null }, nowMs);
  }

  /** @param {"server" | "timeout"} droppedBy @param {number} nowMs */
  recordDrop(droppedBy, nowMs) {
    this.#record({ roundTripMs: null, serverMs: 0, droppedBy }, nowMs);
  }

  /** The last frame had more bytes than the server takes. */
  recordTooLarge() {
    this.#size = Math.min(this.#size + 1, SIZES.length - 1);
  }

  /** What was measured before a pause says nothing about now. */
  forget() {
    this.#outcomes = [];
    this.#reviewedMs = null;
    this.#goodSinceMs = null;
    this.#wasBad = false;
  }

  #record(outcome, nowMs) {
    this.#outcomes.push(outcome);
    this.#reviewedMs ??= nowMs;
    if (nowMs - this.#reviewedMs < REVIEW_MS || this.#outcomes.length < MIN_SAMPLES) return;
    this.#review(nowMs);
    this.#outcomes = [];
    this.#reviewedMs = nowMs;
  }

  #review(nowMs) {
    const answered = this.#outcomes.filter((outcome) => outcome.droppedBy === null);
    const drops = this.#outcomes.length - answered.length;
    const roundTripsMs = answered.map((outcome) => outcome.roundTripMs);
    const p95Ms = percentile(roundTripsMs, 0.95) ?? Infinity;
    const isBad = p95Ms > SLOW_MS || drops / this.#outcomes.length > MAX_DROP_SHARE;
    // One hiccup in a second mends itself; slow in the middle, or bad twice in a row, does not.
    const isSlow = (percentile(roundTripsMs, 0.5) ?? Infinity) > SLOW_MS;
    if (isBad && (isSlow || this.#wasBad)) this.#stepDown(this.#isServerSlow(answered), nowMs);
    else if (p95Ms < GOOD_MS && !isBad) this.#stepUpIfPatient(nowMs);
    else this.#goodSinceMs = null;
    this.#wasBad = isBad;
  }

  #isServerSlow(answered) {
    if (this.#outcomes.some((outcome) => outcome.droppedBy === "server")) return true;
    const serverMs =
      percentile(
        answered.map((outcome) => outcome.serverMs),
        0.5,
      ) ?? 0;
    const roundTripMs =
      percentile(
        answered.map((outcome) => outcome.roundTripMs),
        0.5,
      ) ?? Infinity;
    return serverMs > roundTripMs / 2;
  }

  #stepDown(isServerSlow, nowMs) {
    this.#goodSinceMs = null;
    if (nowMs - this.#steppedUpMs < REGRET_MS) {
      this.#patienceMs = Math.min(this.#patienceMs * 2, LAST_PATIENCE_MS);
    }
    const lastSize = SIZES.length - 1;
    const lastRate = RATE_SHARES.length - 1;
    const turnsRate = this.#size === lastSize || (isServerSlow && this.#rate < lastRate);
    if (turnsRate) this.#rate = Math.min(this.#rate + 1, lastRate);
    else this.#size += 1;
  }

  #stepUpIfPatient(nowMs) {
    this.#goodSinceMs ??= nowMs;
    if (this.#size === 0 && this.#rate === 0) {
      this.#patienceMs = FIRST_PATIENCE_MS;
      return;
    }
    if (nowMs - this.#goodSinceMs < this.#patienceMs) return;
    if (this.#rate > 0) this.#rate -= 1;
    else this.#size -= 1;
    this.#steppedUpMs = nowMs;
    this.#goodSinceMs = null;
  }
}

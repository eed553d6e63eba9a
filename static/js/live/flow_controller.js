/**
 * Chooses how many frames may be in flight, and their size, from how the last ones fared. Pure: the
 * time is passed in.
 *
 * As in delay-based congestion control (TCP Vegas, BBR) the least network time of the last seconds
 * is the path's own, and what every frame of a review takes above it is a standing queue (as in
 * CoDel: jitter spares some frames, a queue spares none). A long path gets more frames in flight.
 * A queue gets fewer, and smaller ones only where bytes are what takes time. Every step is judged
 * by the next review; one that did not help is taken back.
 *
 * @typedef {{longestSide: number, quality: number, fps: number, inFlight: number}} FrameSettings
 *
 * @typedef {object} FrameTiming
 * @property {number} roundTripMs from sending to the answer
 * @property {number} waitMs in the server's queue
 * @property {number} serverMs analysis
 * @property {number} encodeMs before sending
 * @property {number} bytes
 *
 * @typedef {object} Review
 * @property {number} perSecond answered frames
 * @property {number} networkMs the least of the review: what no frame was spared
 * @property {number} roundTripMs median
 * @property {number} waitMs the least of the review
 * @property {number} encodeMs median
 * @property {number} serverMs median
 * @property {number} bytes median
 * @property {number} dropShare dropped by the server, of all outcomes
 * @property {boolean} isSilent a frame got no answer in time
 * @property {boolean} wasBlocked a frame found no room
 * @property {number} queueMs networkMs above the path's own
 * @property {boolean} isQueueing whether that is more than jitter explains
 */
import { RollingWindow, percentile } from "./statistics.js";

/** `bytes` is the size of a JPEG beside the largest, roughly. */
const SIZES = [
  { longestSide: 640, quality: 0.8, bytes: 1 },
  { longestSide: 640, quality: 0.65, bytes: 0.72 },
  { longestSide: 512, quality: 0.65, bytes: 0.5 },
  { longestSide: 416, quality: 0.6, bytes: 0.32 },
  { longestSide: 320, quality: 0.6, bytes: 0.21 },
];

/** Frames are made smaller until as many a second get through: fewer look like a slide show. */
const USEFUL_PER_SECOND = 12;
/** With this share of the wanted rate nothing need be tried. */
const ENOUGH = 0.98;
const FIRST_IN_FLIGHT = 2;
const PATH_MEMORY_MS = 30_000;
/** A queue is what stands above this and above the path's jitter, of which so much is believed. */
const MAX_QUEUE_MS = 60;
const MAX_JITTER_MS = 250;
const MAX_DROP_SHARE = 0.1;
const REVIEW_MS = 500;
const MIN_SAMPLES = 4;
/** After so long fewer must do. */
const LONG_REVIEW_MS = 2000;
const FEWEST_SAMPLES = 2;
const FIRST_PATIENCE_MS = 4000;
const LAST_PATIENCE_MS = 60_000;

export class FlowController {
  #maxFps;
  #maxInFlight;
  #inFlight = FIRST_IN_FLIGHT;
  #size = 0;
  /** While it lasts the frames in flight are doubled, later they grow by one. */
  #isFirstClimb = true;
  #path = new RollingWindow(PATH_MEMORY_MS);
  #samples = [];
  #drops = 0;
  #isSilent = false;
  #wasBlocked = false;
  #wasQueueing = false;
  /** Of the settings that stand: what was sent before says nothing about them. */
  #sinceMs = null;
  /** Until the first frame of new settings is answered: those before it met a path less full. */
  #isSettling = false;
  #trial = null;
  #patience = {
    more: new Patience(),
    fewer: new Patience(),
    larger: new Patience(),
    smaller: new Patience(),
  };

  /** @param {{maxFps: number, maxInFlight: number}} options the server's bounds */
  constructor({ maxFps, maxInFlight }) {
    this.#maxFps = maxFps;
    this.#maxInFlight = maxInFlight;
    this.#inFlight = Math.min(FIRST_IN_FLIGHT, maxInFlight);
  }

  /** @returns {FrameSettings} for the next frame */
  get settings() {
    const { longestSide, quality } = SIZES[this.#size];
    return { longestSide, quality, fps: this.#maxFps, inFlight: this.#inFlight };
  }

  /** @param {FrameTiming} timing @param {number} nowMs */
  recordResult(timing, nowMs) {
    const networkMs = Math.max(0, timing.roundTripMs - timing.waitMs - timing.serverMs);
    this.#path.add(networkMs, nowMs);
    this.#sinceMs ??= nowMs - timing.roundTripMs;
    if (nowMs - timing.roundTripMs < this.#sinceMs) return;
    if (this.#isSettling) return this.#begin(nowMs);
    this.#samples.push({ ...timing, networkMs, nowMs });
    this.#reviewIfDue(nowMs);
  }

  /** @param {"server" | "timeout"} droppedBy @param {number} nowMs */
  recordDrop(droppedBy, nowMs) {
    this.#sinceMs ??= nowMs;
    this.#drops += 1;
    this.#isSilent ||= droppedBy === "timeout";
    this.#reviewIfDue(nowMs);
  }

  /** A frame was due and as many as allowed were in flight. */
  recordBlocked() {
    this.#wasBlocked = true;
  }

  /** The last frame had more bytes than the server takes. */
  recordTooLarge() {
    this.#size = Math.min(this.#size + 1, SIZES.length - 1);
  }

  /** What was measured before a pause says nothing about now. */
  forget() {
    this.#path.clear();
    this.#trial = null;
    this.#wasQueueing = false;
    this.#begin(null);
  }

  #begin(nowMs) {
    this.#samples = [];
    this.#drops = 0;
    this.#isSilent = false;
    this.#wasBlocked = false;
    this.#isSettling = false;
    this.#sinceMs = nowMs;
  }

  #reviewIfDue(nowMs) {
    const spanMs = nowMs - this.#sinceMs;
    const wanted = spanMs < LONG_REVIEW_MS ? MIN_SAMPLES : FEWEST_SAMPLES;
    if (spanMs < REVIEW_MS || this.#samples.length + this.#drops < wanted) return;
    const review = this.#summarise(spanMs, nowMs);
    this.#begin(nowMs);
    if (!this.#judge(review, nowMs)) this.#step(review, nowMs);
  }

  /** @returns {Review} */
  #summarise(spanMs, nowMs) {
    const values = (name) => this.#samples.map((sample) => sample[name]);
    const median = (name) => percentile(values(name), 0.5) ?? 0;
    const networkMs = Math.min(...values("networkMs"), Infinity);
    const queueMs = this.#samples.length > 0 ? networkMs - this.#pathMs(nowMs) : 0;
    const jitterMs = (percentile(values("networkMs"), 0.9) ?? 0) - networkMs;
    return {
      perSecond: this.#pace(spanMs),
      networkMs,
      roundTripMs: median("roundTripMs"),
      waitMs: Math.min(...values("waitMs"), Infinity),
      encodeMs: median("encodeMs"),
      serverMs: median("serverMs"),
      bytes: median("bytes"),
      dropShare: this.#drops / (this.#drops + this.#samples.length),
      isSilent: this.#isSilent,
      wasBlocked: this.#wasBlocked,
      queueMs,
      isQueueing: queueMs > Math.max(MAX_QUEUE_MS, Math.min(jitterMs, MAX_JITTER_MS)),
    };
  }

  #pace(spanMs) {
    const steps = this.#samples.length - 1;
    if (steps < 1) return (1000 * this.#samples.length) / spanMs;
    return (1000 * steps) / Math.max(1, this.#samples.at(-1).nowMs - this.#samples[0].nowMs);
  }

  #pathMs(nowMs) {
    return Math.min(...this.#path.values(nowMs), Infinity);
  }

  /** @returns {boolean} whether the last step was taken back */
  #judge(review, nowMs) {
    const trial = this.#trial;
    this.#trial = null;
    if (!trial) return false;
    if (trial.helped(review)) {
      trial.patience.reset();
      return false;
    }
    this.#inFlight = trial.inFlight;
    this.#size = trial.size;
    trial.patience.regret(nowMs);
    trial.takenBack?.(review, nowMs);
    return true;
  }

  #step(review, nowMs) {
    if (review.isSilent) return this.#fallSilent();
    if (review.dropShare > MAX_DROP_SHARE) return this.#fewer(this.#inFlight - 1);
    // A single review may have had bad luck with the path's jitter. One frame alone is no queue.
    const isDue = this.#wasQueueing && review.isQueueing && this.#inFlight > 1;
    this.#wasQueueing = review.isQueueing;
    if (isDue) return this.#drain(review, nowMs);
    if (this.#isServerFull(review) && this.#patience.fewer.isOver(nowMs))
      return this.#relieveServer(review, nowMs);
    if (this.#isWorkSlow(review) && this.#patience.smaller.isOver(nowMs))
      return this.#workLess(review);
    return this.#climb(review, nowMs);
  }

  #fallSilent() {
    this.#fewer(Math.floor(this.#inFlight / 2));
    this.#size = Math.min(this.#size + 1, SIZES.length - 1);
  }

  #fewer(inFlight) {
    this.#isFirstClimb = false;
    this.#inFlight = Math.max(1, inFlight);
  }

  #isServerFull({ waitMs }) {
    return this.#inFlight > 1 && waitMs > MAX_QUEUE_MS;
  }

  /** Encoding here and analysis there take less time for fewer pixels, mostly. */
  #isWorkSlow({ encodeMs, serverMs, perSecond }) {
    const isShort = perSecond < USEFUL_PER_SECOND;
    return this.#fewerPixels() > 0 && isShort && encodeMs + serverMs > 1000 / USEFUL_PER_SECOND;
  }

  /** @returns {number} index of the next smaller picture, -1 where there is none */
  #fewerPixels() {
    const { longestSide } = SIZES[this.#size];
    return SIZES.findIndex((size) => size.longestSide < longestSide);
  }

  /** Less in flight than the path holds, and small enough frames: then the queue goes. */
  #drain(review, nowMs) {
    const { perSecond, bytes, serverMs } = review;
    const before = this.#standing();
    const held = Math.ceil((perSecond * (this.#pathMs(nowMs) + serverMs)) / 1000);
    const size = this.#patience.smaller.isOver(nowMs) ? this.#sizeFor(perSecond * bytes, bytes) : 0;
    this.#fewer(Math.min(this.#inFlight - 1, Math.max(held, Math.floor(this.#inFlight / 2))));
    this.#patience.more.wait(nowMs);
    this.#size = Math.max(this.#size, size);
    this.#try(before, {
      patience: this.#patience.smaller,
      helped: (after) => after.queueMs < 0.6 * review.queueMs || after.perSecond > 1.1 * perSecond,
      // Neither fewer nor smaller frames made it shorter: this is what the path takes now.
      takenBack: (after, atMs) => {
        this.#path.clear();
        this.#path.add(after.networkMs, atMs);
      },
    });
  }

  /** The largest size of which enough get through. */
  #sizeFor(bytesPerSecond, bytes) {
    const largest = bytes / SIZES[this.#size].bytes;
    const fits = SIZES.findIndex(
      (size) => largest * size.bytes * USEFUL_PER_SECOND <= bytesPerSecond,
    );
    return fits < 0 ? SIZES.length - 1 : fits;
  }

  #relieveServer({ perSecond }, nowMs) {
    const before = this.#standing();
    this.#fewer(this.#inFlight - 1);
    this.#patience.more.wait(nowMs);
    this.#try(before, {
      patience: this.#patience.fewer,
      helped: (after) => after.perSecond > 0.9 * perSecond,
    });
  }

  #workLess({ perSecond }) {
    const before = this.#standing();
    this.#size = this.#fewerPixels();
    this.#try(before, {
      patience: this.#patience.smaller,
      helped: (after) => after.perSecond > 1.1 * perSecond,
    });
  }

  #climb(review, nowMs) {
    const isShort = review.perSecond < ENOUGH * this.#maxFps;
    const canGrow = this.#inFlight < this.#maxInFlight && isShort && review.wasBlocked;
    if (canGrow && this.#patience.more.isOver(nowMs)) this.#grow(review);
    else if (this.#size > 0 && this.#patience.larger.isOver(nowMs)) this.#enlarge();
  }

  #grow(review) {
    const before = this.#standing();
    const more = this.#isFirstClimb ? this.#inFlight : 1;
    this.#inFlight = Math.min(this.#maxInFlight, this.#inFlight + more);
    this.#isSettling = this.#isFirstClimb;
    const growth = this.#inFlight / before.inFlight;
    const { perSecond } = review;
    this.#try(before, {
      patience: this.#patience.more,
      helped: (after) =>
        !after.isQueueing &&
        !onlyTakesLonger(review, after, growth) &&
        after.dropShare <= MAX_DROP_SHARE &&
        after.perSecond > 0.9 * perSecond,
      takenBack: (after) => this.#fitFirst(review, after, growth),
    });
  }

  /** A narrow path is known as soon as more frames in flight only queue on it. */
  #fitFirst(before, after, growth) {
    if (!this.#isFirstClimb || !onlyTakesLonger(before, after, growth)) return;
    const { perSecond, bytes } = after;
    this.#size = Math.max(this.#size, this.#sizeFor(perSecond * bytes, bytes));
  }

  #enlarge() {
    const before = this.#standing();
    this.#size -= 1;
    this.#try(before, {
      patience: this.#patience.larger,
      helped: (after) => !after.isQueueing && after.perSecond >= USEFUL_PER_SECOND,
    });
  }

  #standing() {
    return { inFlight: this.#inFlight, size: this.#size };
  }

  #try(before, trial) {
    this.#trial = { ...before, ...trial };
  }
}

/**
 * By Little's law more frames in flight give a higher rate or take longer, each.
 *
 * @param {Review} before
 * @param {Review} after
 * @param {number} growth of the frames in flight
 */
function onlyTakesLonger(before, after, growth) {
  const isLonger = after.roundTripMs > before.roundTripMs * growth ** 0.7;
  return isLonger && after.perSecond < before.perSecond * growth ** 0.3;
}

/** How long to wait before something is tried again: twice as long after each failure. */
class Patience {
  #lengthMs = FIRST_PATIENCE_MS;
  #untilMs = -Infinity;

  isOver(nowMs) {
    return nowMs >= this.#untilMs;
  }

  wait(nowMs) {
    this.#untilMs = Math.max(this.#untilMs, nowMs + this.#lengthMs);
  }

  regret(nowMs) {
    this.wait(nowMs);
    this.#lengthMs = Math.min(2 * this.#lengthMs, LAST_PATIENCE_MS);
  }

  reset() {
    this.#lengthMs = FIRST_PATIENCE_MS;
  }
}

/**
 * Tells when a new picture of a video is on the screen, and when the camera took it.
 *
 * Where the browser has requestVideoFrameCallback each picture is told of once, with the camera's
 * time; elsewhere every animation frame counts as one, taken now.
 */
export class VideoClock {
  #video;
  #bus;
  /** Callbacks of an earlier run must not go on beside those of this one; null: stopped. */
  #run = null;
  /** Another window, which runs on while the page is hidden. */
  #screen = null;

  /** @param {HTMLVideoElement} video @param {import("../shared/event_bus.js").EventBus} bus */
  constructor(video, bus) {
    this.#video = video;
    this.#bus = bus;
  }

  start() {
    if (this.#run !== null) return;
    this.#run = Symbol();
    this.#wait(this.#run);
  }

  stop() {
    this.#run = null;
  }

  /** @param {Window | null} screen whose beat is kept instead, null: the page's again */
  runBy(screen) {
    if (screen === this.#screen) return;
    this.#screen = screen;
    if (this.#run === null) return;
    // What waits for a hidden page, or a closed window, is never called.
    this.stop();
    this.start();
  }

  #wait(run) {
    if (this.#screen) {
      // Its time began when it was opened, so ours is taken.
      this.#screen.requestAnimationFrame(() => this.#tick(run, performance.now(), {}));
    } else if (this.#video.requestVideoFrameCallback) {
      this.#video.requestVideoFrameCallback((nowMs, metadata) => this.#tick(run, nowMs, metadata));
    } else {
      requestAnimationFrame((nowMs) => this.#tick(run, nowMs, {}));
    }
  }

  #tick(run, nowMs, metadata) {
    if (run !== this.#run) return;
    this.#wait(run);
    this.#bus.emit("video-frame", { capturedMs: captureTime(metadata, nowMs), nowMs });
  }
}

/**
 * @param {{captureTime?: number, presentationTime?: number}} metadata
 * @param {number} nowMs
 * @returns {number} milliseconds on the clock of performance.now()
 */
export function captureTime({ captureTime, presentationTime }, nowMs) {
  // Some drivers report times of another clock; a live picture is neither old nor from the future.
  const isLive = (ms) => Number.isFinite(ms) && ms <= nowMs + 50 && ms > nowMs - 1000;
  return [captureTime, presentationTime].find(isLive) ?? nowMs;
}

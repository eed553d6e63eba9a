/** Keeps a phone's screen on while the camera runs: nobody touches it then. */
export class WakeLock {
  #wakeLock;
  #isWanted = false;
  #sentinel = null;

  /**
   * @param {Navigator["wakeLock"] | undefined} wakeLock navigator.wakeLock, which not every browser
   *   has
   */
  constructor(wakeLock) {
    this.#wakeLock = wakeLock;
  }

  /** @param {boolean} isWanted */
  async want(isWanted) {
    this.#isWanted = isWanted;
    if (!isWanted) return this.#release();
    await this.renew();
  }

  /** The browser takes the lock back whenever the page is hidden. */
  async renew() {
    if (!this.#isWanted || !this.#wakeLock || (this.#sentinel && !this.#sentinel.released)) return;
    try {
      this.#sentinel = await this.#wakeLock.request("screen");
      if (!this.#isWanted) await this.#release();
    } catch {
      // Refused on a low battery or while hidden: then the screen goes dark as it always does.
    }
  }

  async #release() {
    const sentinel = this.#sentinel;
    this.#sentinel = null;
    await sentinel?.release();
  }
}

/**
 * @param {WakeLock} wakeLock wanted while a session is live, or in full screen
 * @param {Document} page whose return to sight renews it
 * @param {import("./event_bus.js").EventBus} bus
 */
export function keepAwake(wakeLock, page, bus) {
  let [isLive, isPresented] = [false, false];
  const decide = () => wakeLock.want(isLive || isPresented);
  bus.on("session-changed", ({ state }) => {
    isLive = state === "live";
    decide();
  });
  bus.on("fullscreen-changed", ({ isFullscreen }) => {
    isPresented = isFullscreen;
    decide();
  });
  page.addEventListener("visibilitychange", () => page.hidden || wakeLock.renew(), {
    signal: bus.signal,
  });
}

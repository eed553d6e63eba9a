/** Plays a short film in the place of the camera, for those who have none or give none. */
import { CameraError } from "../shared/errors.js";

export class Film {
  #video;
  #urls;
  #turn = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {string[]} urls of the same film; the first that this browser can play is taken
   */
  constructor(video, urls) {
    this.#video = video;
    this.#urls = urls;
  }

  /**
   * @returns {Promise<boolean>} false when closed before the film had come
   * @throws {CameraError} of kind film: it did not come, or this browser cannot play it
   */
  async open() {
    this.close();
    const turn = this.#turn;
    const video = this.#video;
    video.loop = true;
    video.muted = true;
    let cause = null;
    for (const url of this.#urls) {
      cause = await this.#load(url);
      if (turn !== this.#turn) return false;
      if (!cause) return true;
    }
    throw new CameraError("film", cause);
  }

  /** @returns {Promise<MediaError | null>} why it cannot be played; null also when it was closed */
  #load(url) {
    const video = this.#video;
    const turn = this.#turn;
    return new Promise((resolve) => {
      const once = new AbortController();
      const end = (cause) => {
        once.abort();
        resolve(cause);
      };
      video.src = url;
      video.addEventListener("loadeddata", () => end(null), { signal: once.signal });
      video.addEventListener("error", () => end(video.error), { signal: once.signal });
      // The element is also emptied of a film before this one, which failed.
      const onEmptied = () => turn !== this.#turn && end(null);
      video.addEventListener("emptied", onEmptied, { signal: once.signal });
    });
  }

  close() {
    this.#turn += 1;
    if (!this.#video.hasAttribute("src")) return;
    this.#video.pause();
    this.#video.removeAttribute("src");
    // Only this lets the file and its last picture go.
    this.#video.load();
  }
}

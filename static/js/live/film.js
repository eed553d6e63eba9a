/** Plays a short film in the place of the camera, for those who have none or give none. */
import { CameraError } from "../shared/errors.js";

export class Film {
  #video;
  #url;
  #turn = 0;

  /** @param {HTMLVideoElement} video @param {string} url */
  constructor(video, url) {
    this.#video = video;
    this.#url = url;
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
    video.src = this.#url;
    const cause = await new Promise((resolve) => {
      video.addEventListener("loadeddata", () => resolve(null), { once: true });
      video.addEventListener("error", () => resolve(video.error), { once: true });
      video.addEventListener("emptied", () => resolve(null), { once: true });
    });
    if (turn !== this.#turn) return false;
    if (cause) throw new CameraError("film", cause);
    return true;
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

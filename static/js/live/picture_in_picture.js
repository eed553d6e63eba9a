/**
 * Shows the picture with its overlay in a small window that stays over other programs.
 *
 * A document in such a window runs on while the page is hidden, and takes frames with it; where the
 * browser puts only videos there, the composed picture becomes one, which stands still meanwhile.
 *
 * Emits pip-changed {isOn, problem, screen}: problem: why the browser has none, empty where it has;
 * screen: what runs on, null otherwise.
 */
import { t } from "../shared/words.js";
const SIZE = { width: 480, height: 270 };

export class PictureInPicture {
  #deps;
  #opened = null;
  #video = null;

  /**
   * @param {object} deps
   * @param {import("./composition.js").Composition} deps.composition
   * @param {any} deps.documents documentPictureInPicture of the browser, which few have
   * @param {() => any} deps.makeVideo a video on no page
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   */
  constructor(deps) {
    this.#deps = deps;
    deps.bus.signal.addEventListener("abort", () => this.close(), { once: true });
  }

  get isOn() {
    return this.#opened !== null || this.#video !== null;
  }

  /** Says how it stands, for views that have just begun to listen. */
  tell() {
    const problem = this.#isPossible() ? "" : t("This browser has no picture-in-picture.");
    this.#deps.bus.emit("pip-changed", { isOn: this.isOn, problem, screen: this.#opened });
  }

  async toggle() {
    if (this.isOn) return this.close();
    if (!this.#isPossible() || !this.#deps.composition.paint()) return undefined;
    try {
      return await (this.#deps.documents ? this.#openDocument() : this.#openVideo());
    } catch (error) {
      this.close();
      const title = t("The small window did not open");
      const text = t("The browser refused it: {reason}", { reason: error.message });
      this.#deps.bus.emit("message", { id: "pip", tone: "warning", title, text, lastsMs: 6000 });
    }
  }

  close() {
    const [opened, video] = [this.#opened, this.#video];
    if (!opened && !video) return;
    [this.#opened, this.#video] = [null, null];
    this.#deps.composition.want("pip", false);
    opened?.close();
    if (video) this.#closeVideo(video);
    this.tell();
  }

  #isPossible() {
    const { documents, composition, makeVideo } = this.#deps;
    if (documents) return true;
    return Boolean(composition.canvas.captureStream && makeVideo().requestPictureInPicture);
  }

  async #openDocument() {
    const { documents, composition } = this.#deps;
    const { width, height } = composition.canvas;
    const shape = { width: SIZE.width, height: Math.round((SIZE.width * height) / width) };
    this.#opened = await documents.requestWindow(shape);
    this.#opened.addEventListener("pagehide", () => this.close(), { once: true });
    const { body } = this.#opened.document;
    Object.assign(body.style, { margin: "0", background: "#0b0e13" });
    Object.assign(composition.canvas.style, {
      width: "100vw",
      height: "100vh",
      objectFit: "contain",
    });
    body.append(composition.canvas);
    composition.want("pip", true);
    this.tell();
  }

  async #openVideo() {
    const { composition, makeVideo } = this.#deps;
    const video = makeVideo();
    this.#video = video;
    Object.assign(video, { muted: true, playsInline: true });
    video.srcObject = composition.canvas.captureStream();
    composition.want("pip", true);
    await video.play();
    await video.requestPictureInPicture();
    video.addEventListener("leavepictureinpicture", () => this.close(), { once: true });
    this.tell();
  }

  #closeVideo(video) {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    const page = video.ownerDocument;
    if (page?.pictureInPictureElement === video) void page.exitPictureInPicture();
  }
}

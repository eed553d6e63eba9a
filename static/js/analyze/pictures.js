/** Pictures to look at, shrunk: the file as the browser shows it, else as the server does. */
import { limitSize } from "../geometry.js";
import { TaskLimit } from "./task_limit.js";

/** Decoded at once: each needs four bytes a pixel. */
const AT_ONCE = 2;
const KEPT = 12;

/**
 * @typedef {object} Picture
 * @property {HTMLCanvasElement} canvas
 * @property {boolean} isAnnotated whether the boxes are in the picture already
 */
export class Pictures {
  #deps;
  #limit = new TaskLimit(AT_ONCE);
  #kept = new Map();

  /**
   * @param {{decode: (blob: Blob) => Promise<ImageBitmap>, makeCanvas: (size: {width: number, height: number}) => HTMLCanvasElement,
   *   annotated: (item: import("./image_queue.js").ImageItem) => Promise<Blob>}} deps
   *   annotated: the server's JPEG of it, with boxes
   */
  constructor(deps) {
    this.#deps = deps;
  }

  /**
   * @param {import("./image_queue.js").ImageItem} item
   * @param {number} longestSide in pixels
   * @returns {Promise<Picture | null>} null where neither the browser nor the server can show it
   */
  load(item, longestSide) {
    const key = `${item.id} ${longestSide} ${item.state === "done"}`;
    if (!this.#kept.has(key)) this.#keep(key, this.#limit.run(() => this.#load(item, longestSide)));
    return this.#kept.get(key);
  }

  async #load(item, longestSide) {
    const own = await this.#shrunk(item.file, longestSide).catch(() => null);
    if (own) return { canvas: own, isAnnotated: false };
    // Only a picture that the server could read has a copy there.
    if (item.state !== "done") return null;
    const drawn = await this.#deps.annotated(item).then((blob) => this.#shrunk(blob, longestSide)).catch(() => null);
    return drawn && { canvas: drawn, isAnnotated: true };
  }

  async #shrunk(blob, longestSide) {
    const bitmap = await this.#deps.decode(blob);
    const canvas = this.#deps.makeCanvas(limitSize(bitmap, longestSide));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return canvas;
  }

  #keep(key, picture) {
    this.#kept.set(key, picture);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
  }
}

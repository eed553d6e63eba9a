/** Shrinks pictures to look at: the file as the browser shows it, else as the server does. */
import { limitSize } from "../shared/geometry.js";
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
  #own = new Map();
  #drawn = new WeakMap();

  /**
   * @param {{decode: (blob: Blob) => Promise<ImageBitmap>, makeCanvas: (size: {width: number,
   *   height: number}) => HTMLCanvasElement, annotated: (item:
   *   import("./image_queue.js").ImageItem) => Promise<Blob>}} deps annotated: the server's JPEG of
   *   it, with boxes
   */
  constructor(deps) {
    this.#deps = deps;
  }

  /**
   * @param {import("./image_queue.js").ImageItem} item
   * @param {number} longestSide in pixels
   * @returns {Promise<Picture | null>} null where neither the browser nor the server can show it
   */
  async load(item, longestSide) {
    const own = await this.#kept(this.#own, `${item.id} ${longestSide}`, () =>
      this.#shrunk(item.file, longestSide),
    );
    if (own) return { canvas: own, isAnnotated: false };
    // Only a picture that the server could read has a copy there; each result has boxes of its own.
    if (!item.result) return null;
    if (!this.#drawn.has(item.result)) this.#drawn.set(item.result, new Map());
    const fetch = async () => this.#shrunk(await this.#deps.annotated(item), longestSide);
    const drawn = await this.#kept(this.#drawn.get(item.result), String(longestSide), fetch);
    return drawn && { canvas: drawn, isAnnotated: true };
  }

  /** The picture of this key, made where it is not there; null where it cannot be made. */
  #kept(pictures, key, make) {
    if (!pictures.has(key))
      pictures.set(
        key,
        this.#limit.run(make).catch(() => null),
      );
    const picture = pictures.get(key);
    if (pictures.size > KEPT) pictures.delete(pictures.keys().next().value);
    return picture;
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
}

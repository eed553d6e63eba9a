/** Puts the picture of a video and its overlay together on one canvas, as they are seen. */
import { limitSize } from "../shared/geometry.js";

/** More than a video call shows; each further pixel costs the time that frames need. */
const LONGEST_SIDE = 1280;

/**
 * @typedef {(context: CanvasRenderingContext2D, view: import("../shared/geometry.js").Size) =>
 *   readonly unknown[]} PaintOverlay returns what it drew
 */

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{video: HTMLVideoElement, size: import("../shared/geometry.js").Size, isMirrored: boolean,
 *   paintOverlay: PaintOverlay}} picture size: of the context, in its units
 * @returns {number} how many faces were drawn
 */
export function paintComposition(context, { video, size, isMirrored, paintOverlay }) {
  context.save();
  if (isMirrored) {
    context.translate(size.width, 0);
    context.scale(-1, 1);
  }
  context.drawImage(video, 0, 0, size.width, size.height);
  context.restore();
  return paintOverlay(context, size).length;
}

/** A canvas that follows the video as long as somebody wants it. */
export class Composition {
  #video;
  #canvas;
  #paintOverlay;
  #isMirrored = true;
  #users = new Set();

  /**
   * @param {{video: HTMLVideoElement, canvas: HTMLCanvasElement, paintOverlay: PaintOverlay}} parts
   *   canvas: on no page
   * @param {import("../shared/event_bus.js").EventBus} bus
   */
  constructor({ video, canvas, paintOverlay }, bus) {
    this.#video = video;
    this.#canvas = canvas;
    this.#paintOverlay = paintOverlay;
    bus.on("mirror-changed", ({ isMirrored }) => (this.#isMirrored = isMirrored));
    bus.on("video-frame", () => this.#users.size > 0 && this.paint());
  }

  get canvas() {
    return this.#canvas;
  }

  /** @param {string} user who wants it from now on, or no more */
  want(user, isWanted) {
    if (!isWanted) return this.#users.delete(user);
    this.#users.add(user);
    return this.paint();
  }

  /** @returns {boolean} whether there is a picture */
  paint() {
    const video = this.#video;
    if (video.videoWidth === 0) return false;
    const frame = { width: video.videoWidth, height: video.videoHeight };
    // Encoders of video want even numbers.
    const size = even(limitSize(frame, LONGEST_SIDE));
    if (this.#canvas.width !== size.width) this.#canvas.width = size.width;
    if (this.#canvas.height !== size.height) this.#canvas.height = size.height;
    const context = this.#canvas.getContext("2d", { alpha: false });
    paintComposition(context, {
      video,
      size,
      isMirrored: this.#isMirrored,
      paintOverlay: this.#paintOverlay,
    });
    return true;
  }
}

const even = ({ width, height }) => ({
  width: Math.max(2, width - (width % 2)),
  height: Math.max(2, height - (height % 2)),
});

/** Cuts the picture that a video shows now into a JPEG. Owns a canvas that is on no page. */
import { limitSize } from "../shared/geometry.js";

/**
 * @typedef {object} EncodedFrame
 * @property {ArrayBuffer} bytes JPEG
 * @property {number} width pixels
 * @property {number} height pixels
 */
export class FrameEncoder {
  #video;
  #canvas;
  #context;

  /**
   * @param {HTMLVideoElement} video
   * @param {OffscreenCanvas | HTMLCanvasElement} canvas
   */
  constructor(video, canvas) {
    this.#video = video;
    this.#canvas = canvas;
    // Kept in memory: each frame is read back, which from a graphics card took WebKit 17 times as long.
    this.#context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  /**
   * @param {{longestSide: number, quality: number}} settings
   * @returns {Promise<EncodedFrame | null>} null while the video has no picture yet
   */
  async encode({ longestSide, quality }) {
    const frame = { width: this.#video.videoWidth, height: this.#video.videoHeight };
    if (frame.width === 0 || frame.height === 0) return null;
    const { width, height } = limitSize(frame, longestSide);
    // Setting a canvas' size clears and reallocates it, even to the same value.
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#context.drawImage(this.#video, 0, 0, width, height);
    const blob = await this.#toBlob(quality);
    return { bytes: await blob.arrayBuffer(), width, height };
  }

  #toBlob(quality) {
    if (this.#canvas.convertToBlob)
      return this.#canvas.convertToBlob({ type: "image/jpeg", quality });
    return new Promise((resolve, reject) => {
      const done = (blob) =>
        blob ? resolve(blob) : reject(new Error("This browser could not write a JPEG."));
      this.#canvas.toBlob(done, "image/jpeg", quality);
    });
  }
}

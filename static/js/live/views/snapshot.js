/** Saves the picture with its overlay, as it is seen, in a PNG file. */
import { snapshotName } from "../../shared/format.js";
import { saveFile } from "../../shared/save_file.js";

export class SnapshotView {
  #elements;
  #bus;
  #paintOverlay;
  #isMirrored = true;

  /**
   * @param {{video: HTMLVideoElement, flash: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {(context: CanvasRenderingContext2D, view: {width: number, height: number}) => unknown}
   *   paintOverlay
   */
  constructor(elements, bus, paintOverlay) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#paintOverlay = paintOverlay;
    bus.on("snapshot-requested", () => this.#take());
    bus.on("mirror-changed", ({ isMirrored }) => (this.#isMirrored = isMirrored));
    elements.flash.addEventListener(
      "animationend",
      () => elements.flash.classList.remove("is-flashing"),
      { signal },
    );
  }

  #take() {
    const { video, flash } = this.#elements;
    if (!video.srcObject || video.videoWidth === 0) return;
    const canvas = this.#compose({ width: video.videoWidth, height: video.videoHeight });
    flash.classList.add("is-flashing");
    canvas.toBlob((blob) => this.#save(blob), "image/png");
  }

  #compose(size) {
    const canvas = Object.assign(document.createElement("canvas"), size);
    const context = canvas.getContext("2d");
    context.save();
    if (this.#isMirrored) {
      context.translate(size.width, 0);
      context.scale(-1, 1);
    }
    context.drawImage(this.#elements.video, 0, 0, size.width, size.height);
    context.restore();
    this.#paintOverlay(context, size);
    return canvas;
  }

  #save(blob) {
    if (!blob) {
      this.#bus.emit("message", {
        id: "snapshot",
        tone: "error",
        title: "The snapshot could not be written",
      });
      return;
    }
    const name = snapshotName(new Date());
    saveFile(blob, name);
    const text = `${name}, in your downloads`;
    this.#bus.emit("message", {
      id: "snapshot",
      tone: "info",
      title: "Snapshot saved",
      text,
      lastsMs: 4000,
    });
  }
}

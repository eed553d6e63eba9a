/** Saves the picture with its overlay, as it is seen, in a PNG file. */
import { snapshotName } from "../../shared/format.js";
import { paintComposition } from "../composition.js";
import { saveFile } from "../../shared/save_file.js";
import { t } from "../../shared/words.js";

export class SnapshotView {
  #elements;
  #bus;
  #paintOverlay;
  #isMirrored = true;

  /**
   * @param {{video: HTMLVideoElement, flash: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {import("../composition.js").PaintOverlay} paintOverlay
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
    if (video.videoWidth === 0) return;
    const size = { width: video.videoWidth, height: video.videoHeight };
    const canvas = Object.assign(document.createElement("canvas"), size);
    const faces = paintComposition(canvas.getContext("2d"), {
      video,
      size,
      isMirrored: this.#isMirrored,
      paintOverlay: this.#paintOverlay,
    });
    flash.classList.add("is-flashing");
    canvas.toBlob((blob) => this.#save(blob, faces), "image/png");
  }

  #save(blob, faces) {
    if (!blob) {
      this.#bus.emit("message", {
        id: "snapshot",
        tone: "error",
        title: t("The snapshot could not be written"),
      });
      return;
    }
    const name = snapshotName(new Date());
    saveFile(blob, name);
    const text =
      faces === 0
        ? t("{name}, in your downloads. It has no boxes: no face was found just then.", { name })
        : t("{name}, in your downloads", { name });
    this.#bus.emit("message", {
      id: "snapshot",
      tone: "info",
      title: t("Snapshot saved"),
      text,
      lastsMs: 4000,
    });
  }
}

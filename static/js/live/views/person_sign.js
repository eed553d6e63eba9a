/** Counts down beside the person who is asked, so that it is plain who is meant. */
import { setText } from "../../shared/emotion_bar.js";
import { boxToRect, fitRect } from "../../shared/geometry.js";

export class PersonSignView {
  #sign;
  #frameSize;
  #faceId = null;
  #isMirrored = false;

  /**
   * @param {{sign: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {() => {width: number, height: number}} frameSize
   */
  constructor({ sign }, bus, frameSize) {
    this.#sign = sign;
    this.#frameSize = frameSize;
    bus.on("mirror-changed", ({ isMirrored }) => (this.#isMirrored = isMirrored));
    bus.on("result", ({ faces }) => this.#place(faces));
    bus.on("correction-changed", (state) => this.#show(state));
  }

  #show({ step, faceId, isInView, leftS }) {
    const isTimed = step === "ready" || step === "taking";
    this.#faceId = isTimed && isInView ? faceId : null;
    this.#sign.hidden = this.#faceId === null;
    this.#sign.dataset.step = step;
    setText(this.#sign, isTimed ? String(leftS) : "");
  }

  #place(faces) {
    if (this.#faceId === null) return;
    const face = faces.find(({ id }) => id === this.#faceId);
    const stage = this.#sign.parentElement;
    if (!face || !stage) return;
    const view = { width: stage.clientWidth, height: stage.clientHeight };
    const picture = fitRect(this.#frameSize(), view, "contain");
    const { x, y, width, height } = boxToRect(face.box, picture, this.#isMirrored);
    const [left, top] = [x + width / 2, Math.min(y + height, view.height - 40)];
    this.#sign.style.setProperty(
      "transform",
      `translate(${left.toFixed(0)}px, ${top.toFixed(0)}px)`,
    );
  }
}

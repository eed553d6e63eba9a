/**
 * Shows where the video stands: empty, starting, live, or telling what is wrong with the camera.
 */
import { t } from "../../shared/words.js";
export class StageView {
  #elements;
  #bus;
  #isMirrored = true;
  /** What the person chose for this camera; null: as suits the camera. */
  #mirrorChoice = null;
  /** By the settings; null: as suits the camera. */
  #mirrorSetting = null;
  #isUserFacing = true;

  /**
   * @param {{stage: HTMLElement, video: HTMLVideoElement, problem: HTMLElement,
   *   problemTitle: HTMLElement, problemText: HTMLElement, problemSteps: HTMLElement, retry:
   *     HTMLElement, problemFilm: HTMLElement, startStop: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    bus.on("session-changed", (session) => this.#show(session));
    bus.on("mirror-toggle-requested", () => this.#choose(!this.#isMirrored));
    bus.on("camera-selected", () => (this.#mirrorChoice = null));
    bus.on("settings-changed", ({ values }) => this.#prefer(values.mirror));
    elements.video.addEventListener("resize", () => this.#shape(), { signal });
  }

  async #show({ state, stream, isFilm, isUserFacing, problem }) {
    const { stage, video, startStop } = this.#elements;
    const hadFocus =
      stage.contains(document.activeElement) || document.activeElement === document.body;
    stage.dataset.state = state;
    stage.dataset.source = isFilm ? "film" : "camera";
    video.setAttribute("aria-label", isFilm ? t("Film") : t("Your camera"));
    // The button that was pressed vanishes: keep a keyboard's place where the same action is
    // undone.
    if (hadFocus && state === "live") startStop.focus({ preventScroll: true });
    if (video.srcObject !== stream) video.srcObject = stream;
    if (problem) this.#explain(problem);
    if (state !== "live") return;
    this.#isUserFacing = isUserFacing;
    this.#mirror(this.#mirrorChoice ?? this.#mirrorSetting ?? isUserFacing);
    // Rejected when Stop comes before the first picture.
    await video.play().catch(() => {});
  }

  #explain({ kind, title, text, steps, isFinal = false }) {
    const { problem, problemTitle, problemText, problemSteps, retry, problemFilm } = this.#elements;
    problem.dataset.kind = kind;
    retry.hidden = isFinal;
    problemFilm.hidden = isFinal || kind === "film";
    problemTitle.textContent = title;
    problemText.textContent = text;
    problemSteps.replaceChildren(
      ...steps.map((step) => {
        const item = document.createElement("li");
        item.textContent = step;
        return item;
      }),
    );
  }

  #prefer(isMirrored) {
    if (isMirrored === this.#mirrorSetting) return;
    this.#mirrorSetting = isMirrored;
    this.#mirrorChoice = null;
    this.#mirror(isMirrored ?? this.#isUserFacing);
  }

  #choose(isMirrored) {
    this.#mirrorChoice = isMirrored;
    this.#mirror(isMirrored);
  }

  #mirror(isMirrored) {
    this.#isMirrored = isMirrored;
    this.#elements.video.classList.toggle("is-mirrored", isMirrored);
    this.#bus.emit("mirror-changed", { isMirrored });
  }

  /** The stage takes the picture's shape as far as the window allows. */
  #shape() {
    const { stage, video } = this.#elements;
    if (!video.videoWidth) return;
    stage.style.setProperty("--picture-ratio", String(video.videoWidth / video.videoHeight));
    stage.classList.toggle("is-tall", video.videoHeight > video.videoWidth);
  }
}

/** Shows pause, clip and small window: their buttons, the signs on the stage, and the menu. */
import { formatDuration } from "../../shared/format.js";
import { t } from "../../shared/words.js";

const PAUSED = t("Paused: nothing is sent");

export class StageToolsView {
  #elements;
  #clipProblem = "";
  #pipProblem = "";
  #isLive = false;

  /**
   * @param {{stage: HTMLElement, video: HTMLVideoElement, pause: HTMLButtonElement, pausedSign:
   *   HTMLElement, clip: HTMLButtonElement, clipLabel: HTMLElement, clipSign: HTMLElement, clipTime:
   *     HTMLElement, pip: HTMLButtonElement, pipLabel: HTMLElement, more: HTMLDetailsElement,
   *     page: Document}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("session-changed", ({ state }) => {
      this.#isLive = state === "live";
      this.#enable();
    });
    bus.on("pause-changed", ({ isPaused }) => this.#showPause(isPaused));
    bus.on("clip-changed", (clip) => this.#showClip(clip));
    bus.on("pip-changed", (pip) => this.#showPip(pip));
    this.#listenToMenu(bus.signal);
  }

  #enable() {
    const { pause, clip, pip } = this.#elements;
    pause.disabled = !this.#isLive;
    clip.disabled = !this.#isLive || this.#clipProblem !== "";
    pip.disabled = !this.#isLive || this.#pipProblem !== "";
  }

  async #showPause(isPaused) {
    const { stage, video, pause, pausedSign } = this.#elements;
    pause.setAttribute("aria-pressed", String(isPaused));
    stage.dataset.paused = isPaused ? "yes" : "no";
    pausedSign.textContent = isPaused ? PAUSED : "";
    if (isPaused) video.pause();
    // Rejected where Stop ended it.
    else await video.play().catch(() => {});
  }

  #showClip({ state, seconds, longestS, problem }) {
    const { clip, clipLabel, clipSign, clipTime } = this.#elements;
    const isOn = state !== "off";
    this.#clipProblem = problem;
    clip.setAttribute("aria-pressed", String(isOn));
    clipLabel.textContent = problem || (isOn ? t("Stop the clip") : t("Record a clip"));
    clipSign.hidden = !isOn;
    clipSign.dataset.state = state;
    const clock = `${formatDuration(seconds)} of ${formatDuration(longestS)}`;
    clipTime.textContent = state === "paused" ? `Paused ${clock}` : `Clip ${clock}`;
    this.#enable();
  }

  #showPip({ isOn, problem }) {
    const { pip, pipLabel } = this.#elements;
    this.#pipProblem = problem;
    pip.setAttribute("aria-pressed", String(isOn));
    pipLabel.textContent =
      problem || (isOn ? t("Close the small window") : t("Picture in picture"));
    this.#enable();
  }

  /** The menu closes by what was chosen, by Escape and by a press beside it. */
  #listenToMenu(signal) {
    const { more, page } = this.#elements;
    const close = () => (more.open = false);
    more.addEventListener("click", (event) => isChoice(event.target) && close(), { signal });
    more.addEventListener("keydown", (event) => this.#closeByEscape(event), { signal });
    page.addEventListener(
      "pointerdown",
      (event) => more.contains(/** @type {Node} */ (event.target)) || close(),
      { signal },
    );
  }

  #closeByEscape(event) {
    const { more } = this.#elements;
    if (event.key !== "Escape" || !more.open) return;
    event.preventDefault();
    more.open = false;
    more.querySelector("summary").focus();
  }
}

const isChoice = (target) => Boolean(/** @type {Element} */ (target).closest("button"));

/** Shows the bar of buttons and the choice of the camera. Buttons only say what is wanted. */
import { HEAT_GRADIENT } from "../../shared/heatmap.js";
import { t } from "../../shared/words.js";

export class ControlsView {
  #elements;
  #isFilm = false;

  /**
   * @param {{startStop: HTMLButtonElement, startStopLabel: HTMLElement, mirror: HTMLButtonElement,
   *   fullscreen: HTMLButtonElement, snapshot: HTMLButtonElement, heatmap: HTMLButtonElement,
   *   heatLegend: HTMLElement, hud: HTMLButtonElement, camera: HTMLSelectElement, requesters:
   *     HTMLElement[]}} elements
   *   requesters: all elements with data-request="<name>", which emit <name>-requested
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    elements.heatLegend.style.setProperty("--heat", HEAT_GRADIENT);
    for (const element of elements.requesters) {
      element.addEventListener("click", () => bus.emit(`${element.dataset.request}-requested`), {
        signal,
      });
    }
    elements.camera.addEventListener(
      "change",
      () => bus.emit("camera-selected", { deviceId: elements.camera.value }),
      { signal },
    );
    bus.on("session-changed", (session) => this.#showSession(session));
    bus.on("fullscreen-changed", ({ isFullscreen }) =>
      setPressed(elements.fullscreen, isFullscreen),
    );
    bus.on("mirror-changed", ({ isMirrored }) => setPressed(elements.mirror, isMirrored));
    bus.on("heatmap-changed", (change) => this.#showHeatmap(change));
    bus.on("cameras-changed", (list) => this.#showCameras(list));
    bus.on("hud-changed", ({ isOn }) => setPressed(elements.hud, isOn));
  }

  #showSession({ state, isFilm, problem }) {
    const { startStop, startStopLabel, snapshot, mirror, camera } = this.#elements;
    this.#isFilm = isFilm;
    camera.disabled = isFilm || camera.value === "";
    const isActive = state === "starting" || state === "live";
    startStop.dataset.state = state;
    startStopLabel.textContent = isActive ? t("Stop") : t("Start camera");
    startStop.disabled = problem?.isFinal === true;
    snapshot.disabled = state !== "live";
    mirror.disabled = state !== "live";
  }

  /**
   * @param {{isOn: boolean, problem: string}} change problem: why the model has none; empty where
   *   it has
   */
  #showHeatmap({ isOn, problem }) {
    const { heatmap, heatLegend } = this.#elements;
    setPressed(heatmap, isOn);
    heatLegend.hidden = !isOn;
    heatmap.disabled = problem !== "";
    if (problem) heatmap.title = t("No heat map: {problem}", { problem });
  }

  #showCameras({ cameras, selectedId }) {
    const { camera } = this.#elements;
    const choices = cameras.length > 0 ? cameras : [{ deviceId: "", label: t("Default camera") }];
    camera.replaceChildren(...choices.map(({ deviceId, label }) => new Option(label, deviceId)));
    camera.value = choices.some(({ deviceId }) => deviceId === selectedId)
      ? selectedId
      : choices[0].deviceId;
    camera.disabled = this.#isFilm || cameras.length === 0;
  }
}

const setPressed = (button, isOn) => button.setAttribute("aria-pressed", String(isOn));

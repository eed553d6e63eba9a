/**
 * Shows the chosen face seven times, with the heat map of each expression: to compare, and to
 * choose. A part of FacePanelView.
 */
import { capitalise, emotionName } from "../../shared/format.js";
import { boxToRect } from "../../shared/geometry.js";
import { drawHeatmap } from "../../shared/heatmap.js";
import { emotionColour } from "../../shared/palette.js";

/** Canvas pixels a side; shown at half of that or less. */
const SIDE = 168;
const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export class HeatChoice {
  #onChoose;
  #buttons = new Map();

  /**
   * @param {HTMLElement} group
   * @param {readonly string[]} emotions
   * @param {(emotion: string) => void} onChoose
   */
  constructor(group, emotions, onChoose) {
    this.#onChoose = onChoose;
    for (const emotion of emotions) this.#buttons.set(emotion, this.#button(emotion));
    group.replaceChildren(...this.#buttons.values());
    group.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {string} chosen */
  showChosen(chosen) {
    for (const [emotion, button] of this.#buttons) {
      button.setAttribute("aria-checked", String(emotion === chosen));
      button.tabIndex = emotion === chosen ? 0 : -1;
    }
  }

  /**
   * @param {HTMLCanvasElement | null} picture
   * @param {import("../still_analysis.js").StillFace} face
   */
  draw(picture, { heatmap }) {
    for (const [emotion, button] of this.#buttons) {
      const context = button.querySelector("canvas").getContext("2d");
      context.clearRect(0, 0, SIDE, SIDE);
      const whole = wholeRect(heatmap.corners, picture ?? { width: 1, height: 1 });
      if (picture) context.drawImage(picture, whole.x, whole.y, whole.width, whole.height);
      drawHeatmap(context, heatmap, emotion, { picture: whole });
    }
  }

  #button(emotion) {
    const button = document.createElement("button");
    const name = document.createElement("span");
    button.type = "button";
    button.className = "heat-button";
    button.setAttribute("role", "radio");
    button.dataset.emotion = emotion;
    button.style.setProperty("--emotion", emotionColour(emotion));
    name.textContent = capitalise(emotionName(emotion));
    button.append(
      Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE }),
      name,
    );
    button.addEventListener("click", () => this.#onChoose(emotion));
    return button;
  }

  #press(event) {
    const steps = STEPS[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    const buttons = [...this.#buttons.values()];
    const at = buttons.findIndex((button) => button.getAttribute("aria-checked") === "true");
    const next = buttons[(at + steps + buttons.length) % buttons.length];
    this.#onChoose(next.dataset.emotion);
    next.focus();
  }
}

/**
 * Where the whole picture lies when the square that the network saw fills SIDE; pixels stay square.
 */
function wholeRect(corners, { width, height }) {
  const [xs, ys] = [corners.map(([x]) => x * width), corners.map(([, y]) => y * height)];
  const side = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  const left = (Math.max(...xs) + Math.min(...xs) - side) / 2;
  const top = (Math.max(...ys) + Math.min(...ys) - side) / 2;
  const scale = SIDE / side;
  return boxToRect(
    [0, 0, 1, 1],
    { x: -left * scale, y: -top * scale, width: width * scale, height: height * scale },
    false,
  );
}

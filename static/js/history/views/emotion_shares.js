/**
 * Shows how much of the time each expression prevailed, somebody was there, and no expression stood
 * out.
 */
import { formatSigned } from "../../shared/affect.js";
import { capitalise, emotionName, formatPercentage } from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";

export class EmotionSharesView {
  #elements;

  /**
   * @param {{list: HTMLElement, present: HTMLElement, unsure: HTMLElement, valence: HTMLElement,
   *   arousal: HTMLElement, intensity: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("view-changed", ({ summary, session }) => this.#show(summary, session.labels));
  }

  #show({ shares, face_present_share, unsure_share, ...affect }, labels) {
    const { list, present, unsure, valence, arousal, intensity } = this.#elements;
    const order = [...labels].sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0));
    list.replaceChildren(...order.map((label) => bar(label, shares[label] ?? 0)));
    present.textContent = formatPercentage(face_present_share);
    unsure.textContent = formatPercentage(unsure_share);
    valence.textContent = affect.valence === null ? "–" : formatSigned(affect.valence);
    arousal.textContent = affect.arousal === null ? "–" : formatSigned(affect.arousal);
    intensity.textContent = formatPercentage(affect.intensity ?? NaN);
  }
}

function bar(label, share) {
  const item = document.createElement("li");
  const [name, track, fill, value] = ["bar-name", "bar-track", "bar-fill", "bar-value"].map(
    (className) => {
      const part = document.createElement("span");
      part.className = className;
      return part;
    },
  );
  item.className = "bar";
  item.dataset.emotion = label;
  name.textContent = capitalise(emotionName(label));
  fill.style.setProperty("--emotion", emotionColour(label));
  fill.style.setProperty("transform", `scaleX(${share.toFixed(3)})`);
  value.textContent = formatPercentage(share);
  track.append(fill);
  item.append(name, track, value);
  return item;
}

/**
 * Shows how much of the time each expression prevailed, somebody was there, and no expression stood
 * out.
 */
import { formatSigned } from "../../shared/affect.js";
import { capitalise, emotionName, formatPercentage, reasonFact } from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";
import { t } from "../../shared/words.js";

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

  #show({ shares, face_present_share, unsure_share, unsure_reasons, ...affect }, labels) {
    const { list, present, unsure, valence, arousal, intensity } = this.#elements;
    const order = [...labels].sort((a, b) => (shares[b] ?? 0) - (shares[a] ?? 0));
    list.replaceChildren(...order.map((label) => bar(label, shares[label] ?? 0)));
    present.textContent = formatPercentage(face_present_share);
    unsure.textContent = unsureText(unsure_share, unsure_reasons);
    valence.textContent = affect.valence === null ? "–" : formatSigned(affect.valence);
    arousal.textContent = affect.arousal === null ? "–" : formatSigned(affect.arousal);
    intensity.textContent = formatPercentage(affect.intensity ?? NaN);
  }
}

/**
 * Says how much of the time nothing was named, and why, where one reason stands behind a third of it.
 *
 * @param {number} share
 * @param {Record<string, number>} reasons shares of the same time
 * @returns {string} such as "12 %, mostly: too dark"
 */
export function unsureText(share, reasons) {
  const [reason, part] = Object.entries(reasons).reduce((a, b) => (b[1] > a[1] ? b : a));
  const text = formatPercentage(share);
  if (part === 0 || part < share / 3) return text;
  return t("{share}, mostly: {reason}", { share: text, reason: reasonFact(reason) });
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

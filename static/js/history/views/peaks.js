/** Shows the strongest moment of each expression; pressing one shows it in the chart. */
import { titlesOf } from "../people.js";
import { capitalise, emotionName, formatDuration, formatPercent } from "../../shared/format.js";
import { t } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";

/** Below this the strongest moment of an expression is no moment of it. */
const LEAST_SCORE = 0.25;

export class PeaksView {
  #elements;
  #bus;

  /**
   * @param {{list: HTMLElement, none: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits jump-requested {atS}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("view-changed", ({ summary, session }) => this.#show(summary.peaks, session));
  }

  #show(peaks, { faces, face_list }) {
    const { list, none } = this.#elements;
    const strong = peaks
      .filter(({ score }) => score >= LEAST_SCORE)
      .sort((a, b) => b.score - a.score);
    none.hidden = strong.length > 0;
    const titleOf = titlesOf(face_list);
    const nameOf = (face) => (faces > 1 ? `${titleOf(face)}, ` : "");
    list.replaceChildren(...strong.map((peak) => this.#item(peak, nameOf(peak.face))));
  }

  #item({ label, at_s, score }, name) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const swatch = document.createElement("span");
    const facts = document.createElement("span");
    button.type = "button";
    button.className = "row-button";
    swatch.className = "swatch";
    swatch.style.setProperty("--emotion", emotionColour(label));
    facts.className = "row-end";
    facts.textContent = `${name}${formatDuration(at_s)}`;
    button.append(swatch, `${capitalise(emotionName(label))} ${formatPercent(score)}`, facts);
    button.title = t("Show in the chart");
    button.addEventListener("click", () => this.#bus.emit("jump-requested", { atS: at_s }));
    item.append(button);
    return item;
  }
}

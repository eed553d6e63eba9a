/**
 * Shows the chosen face: its label, the seven probabilities as bars, its heat maps; and the list of
 * all faces.
 */
import { EmotionBar } from "../../shared/emotion_bar.js";
import {
  capitalise,
  describeDoubt,
  describeFace,
  emotionName,
  formatPercent,
} from "../../shared/format.js";
import { HEAT_GRADIENT } from "../../shared/heatmap.js";
import { emotionColour } from "../../shared/palette.js";
import { t } from "../../shared/words.js";
import { framingReason, remarkText } from "../server_words.js";
import { HeatChoice } from "./heat_choice.js";

const PICTURE_SIDE = 1800;

export class FacePanelView {
  #elements;
  #bus;
  #load;
  #noHeatmaps;
  #bars = new Map();
  #heatChoice;
  #selection = { item: null, face: null };
  #drawnHeat = null;

  /**
   * @param {{none: HTMLElement, list: HTMLElement, card: HTMLElement, heatCard: HTMLElement,
   *   heatSwitch: HTMLButtonElement, heatNote: HTMLElement, heatChoice: HTMLElement, heatLegend:
   *   HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits face-selected {id},
   *   heat-toggled {hasHeat}, heat-emotion-selected {emotion}
   * @param {{emotions: readonly string[], noHeatmaps: string, load: (item: object, side: number) =>
   *   Promise<import("../pictures.js").Picture | null>}} deps
   */
  constructor(elements, bus, { emotions, noHeatmaps, load }) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#load = load;
    this.#noHeatmaps = noHeatmaps;
    for (const emotion of emotions) this.#bars.set(emotion, new EmotionBar(emotion));
    this.#part("bars").append(...[...this.#bars.values()].map((bar) => bar.element));
    this.#heatChoice = new HeatChoice(elements.heatChoice, emotions, (emotion) =>
      this.#choose(emotion),
    );
    elements.heatLegend.style.setProperty("--heat", HEAT_GRADIENT);
    elements.heatSwitch.addEventListener(
      "click",
      () => bus.emit("heat-toggled", { hasHeat: !this.#selection.hasHeat }),
      { signal },
    );
    bus.on("selection-changed", (selection) => this.#show(selection));
  }

  /** The label's own map is what every other face shows of itself too. */
  #choose(emotion) {
    this.#bus.emit("heat-emotion-selected", {
      emotion: emotion === this.#selection.face?.label ? null : emotion,
    });
  }

  #show(selection) {
    this.#selection = selection;
    const { none, card } = this.#elements;
    const { item, face } = selection;
    const faces = item?.result?.faces ?? [];
    none.hidden = !item?.result || faces.length > 0;
    card.hidden = face === null;
    this.#showList(faces, face);
    if (face) this.#showFace(face, item.result);
    this.#showHeat(face);
  }

  #showList(faces, chosen) {
    const { list } = this.#elements;
    list.hidden = faces.length < 2;
    while (list.children.length > faces.length) list.lastElementChild.remove();
    while (list.children.length < faces.length) list.append(this.#listItem());
    faces.forEach((face, i) => {
      const button = list.children[i].firstElementChild;
      button.dataset.face = String(face.id);
      button.lastElementChild.textContent = `${face.id} ${nameOf(face)}`;
      button.firstElementChild.classList.toggle("is-unsure", !face.sure);
      button.firstElementChild.style.setProperty("--emotion", emotionColour(face.label));
      button.setAttribute(
        "aria-label",
        t("Face {id}: {label}", { id: face.id, label: describeFace(face) }),
      );
      button.setAttribute("aria-pressed", String(face.id === chosen?.id));
    });
  }

  #listItem() {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const swatch = document.createElement("span");
    button.type = "button";
    button.className = "button is-small face-pick";
    swatch.className = "swatch";
    button.append(swatch, document.createElement("span"));
    button.addEventListener("click", () =>
      this.#bus.emit("face-selected", { id: Number(button.dataset.face) }),
    );
    item.append(button);
    return item;
  }

  #showFace(face, { faces, framing, reason, remarks }) {
    const { id, label, confidence, sure, scores } = face;
    const percent = formatPercent(confidence);
    const count = faces.length;
    this.#part("name").textContent =
      count > 1 ? t("Face {id} of {count}", { id, count }) : t("Face");
    this.#part("label").textContent = nameOf(face);
    this.#part("confidence").textContent = sure ? percent : describeDoubt(face);
    this.#part("swatch").style.setProperty("--emotion", emotionColour(label));
    this.#elements.card.classList.toggle("is-unsure", !sure);
    this.#part("framing").hidden = framing !== "whole";
    this.#part("framing").textContent = t("The whole picture was taken for one face: {reason}.", {
      reason: framingReason(reason),
    });
    this.#part("remarks").hidden = remarks.length === 0;
    this.#part("remarks").textContent = remarks.map(remarkText).join(" ");
    for (const [emotion, bar] of this.#bars) bar.show(scores[emotion], emotion === label);
  }

  #showHeat(face) {
    const { heatCard, heatSwitch, heatNote, heatChoice, heatLegend } = this.#elements;
    const { hasHeat, emotion } = this.#selection;
    heatCard.hidden = face === null;
    if (!face) return;
    const isOn = hasHeat && face.heatmap !== null;
    heatSwitch.disabled = face.heatmap === null;
    heatSwitch.setAttribute("aria-checked", String(isOn));
    heatNote.textContent = face.heatmap === null ? this.#describeNone() : describeHeat(isOn);
    heatChoice.hidden = heatLegend.hidden = !isOn;
    if (!isOn) return;
    this.#heatChoice.showChosen(emotion ?? face.label);
    this.#drawHeat(face);
  }

  async #drawHeat(face) {
    const { item } = this.#selection;
    if (this.#drawnHeat === face) return;
    this.#drawnHeat = face;
    const picture = await this.#load(item, PICTURE_SIDE);
    if (this.#drawnHeat === face) this.#heatChoice.draw(picture?.canvas ?? null, face);
  }

  #describeNone() {
    return this.#noHeatmaps
      ? t("This model has no heat maps: {reason}.", { reason: this.#noHeatmaps })
      : t("This model has no heat maps.");
  }

  #part(name) {
    return this.#elements.card.querySelector(`[data-part="${name}"]`);
  }
}

const nameOf = ({ label, sure }) => (sure ? capitalise(emotionName(label)) : t("Unsure"));

function describeHeat(isOn) {
  if (!isOn) return t("Shows which places of the face speak for an expression.");
  return t(
    "Light places speak for the expression. One scale for all seven, so they can be compared.",
  );
}

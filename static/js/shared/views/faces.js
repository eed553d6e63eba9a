/** Shows the side panel: one card for each face with its label and a bar for each expression. */
import { EmotionBar, setText, showList } from "../emotion_bar.js";
import { factsOf } from "../affect_texts.js";
import {
  capitalise,
  countFaces,
  describeDoubt,
  emotionName,
  expressionName,
  formatPercent,
} from "../format.js";
import { personMarkElement } from "../person_mark.js";
import { emotionColour } from "../palette.js";
import { Trend, drawTrend } from "../trend.js";
import { fromTemplate } from "../template_parts.js";
import { t } from "../words.js";

/** Faster than this nobody reads numbers, and each update costs a layout. */
const UPDATE_MS = 75;
/** A face that was missed in a few frames keeps its card and its trend. */
const KEEP_MS = 1200;
/** So many cards with all their bars are more than a screen: from here on bars are shown on demand. */
const COMPACT_FROM = 4;

export class FacesView {
  #elements;
  #emotions;
  #bus;
  #cards = new Map();
  #updatedMs = -Infinity;
  #count = null;
  #names = new Map();
  #show = ["second"];

  /**
   * @param {{list: HTMLElement, count: HTMLElement, legend: HTMLElement, hint: HTMLElement,
   *   template: HTMLTemplateElement}} elements
   * @param {import("../event_bus.js").EventBus} bus
   * @param {readonly string[]} emotions
   */
  constructor(elements, bus, emotions) {
    this.#elements = elements;
    this.#emotions = emotions;
    bus.on("result", ({ faces }) => this.#update(faces));
    bus.on("session-changed", ({ state }) => this.#reset(state));
    bus.on("connection-changed", ({ state }) => this.#fade(state !== "connected"));
    bus.on("show-changed", ({ show }) => this.#choose(show));
    bus.on("affect-changed", ({ people }) => this.#showFacts(people));
    bus.on("face-pointed", ({ id }) => this.#highlight(id));
    bus.on("names-changed", ({ names }) => this.#showNames(names));
    this.#bus = bus;
    this.#fillLegend();
  }

  #choose(show) {
    this.#show = show;
    this.#elements.list.classList.toggle("is-without-bars", !show.includes("bars"));
    for (const card of this.#cards.values()) card.showFacts([]);
  }

  #showFacts(people) {
    for (const person of people) this.#cards.get(person.id)?.showFacts(factsOf(person, this.#show));
  }

  #fillLegend() {
    const items = this.#emotions.map((emotion) => {
      const item = document.createElement("li");
      item.append(swatch(emotion), capitalise(emotionName(emotion)));
      return item;
    });
    this.#elements.legend.querySelector("ul").replaceChildren(...items);
  }

  /** Numbers of before a lost connection are no longer live. */
  #fade(isStale) {
    this.#elements.list.classList.toggle("is-stale", isStale);
  }

  #highlight(pointedId) {
    for (const [id, card] of this.#cards)
      card.element.classList.toggle("is-pointed", id === pointedId);
  }

  #showNames(names) {
    this.#names = names;
    for (const [id, card] of this.#cards) card.showName(names.get(id) ?? "");
  }

  #reset(state) {
    const { list, count, legend, hint } = this.#elements;
    this.#cards.clear();
    this.#count = null;
    list.replaceChildren();
    count.textContent = "";
    legend.hidden = state === "live";
    hint.hidden = true;
  }

  #update(faces) {
    const nowMs = performance.now();
    const isSameCount = faces.length === this.#count;
    if (isSameCount && nowMs - this.#updatedMs < UPDATE_MS) return;
    this.#updatedMs = nowMs;
    if (!isSameCount) this.#showCount(faces.length);
    this.#dismiss(nowMs - KEEP_MS);
    const hasSecond = this.#show.includes("second");
    for (const face of faces) this.#card(face.id).show(face, nowMs, hasSecond);
    this.#elements.list.classList.toggle("is-compact", this.#cards.size >= COMPACT_FROM);
    this.#elements.hint.hidden = this.#cards.size > 0;
  }

  #showCount(count) {
    this.#count = count;
    this.#elements.count.textContent = countFaces(count);
  }

  #dismiss(seenBeforeMs) {
    for (const [id, card] of this.#cards) {
      // Who is being named stays: the letters would be lost.
      if (card.seenMs >= seenBeforeMs || card.isBeingNamed) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
  }

  /** Ids grow, so the newest face comes last. */
  #card(id) {
    const known = this.#cards.get(id);
    if (known) return known;
    const rename = (name) => this.#bus.emit("person-named", { id, name });
    const card = new FaceCard(this.#elements.template, id, this.#emotions, rename);
    card.onAdjust(() => this.#bus.emit("correction-requested", { id }));
    card.showName(this.#names.get(id) ?? "");
    const next = [...this.#cards.keys()].filter((other) => other > id).sort((a, b) => a - b)[0];
    this.#elements.list.insertBefore(card.element, this.#cards.get(next)?.element ?? null);
    this.#cards.set(id, card);
    this.#listenTo(card.element, id);
    return card;
  }

  #listenTo(element, id) {
    const point = (pointed) => () => this.#bus.emit("face-pointed", { id: pointed });
    element.addEventListener("pointerenter", point(id));
    element.addEventListener("focusin", point(id));
    element.addEventListener("pointerleave", point(null));
    element.addEventListener("focusout", point(null));
  }
}

class FaceCard {
  element;
  seenMs = -Infinity;
  #parts;
  #bars = new Map();
  #trend = new Trend();
  #isAdjusted = null;
  #id;
  /** Where the name is written; null on pages that only show it. */
  #field;

  constructor(template, id, emotions, rename) {
    const { element, part } = fromTemplate(template);
    this.element = element;
    this.element.dataset.faceId = String(id);
    this.#parts = {
      label: part("label"),
      confidence: part("confidence"),
      swatch: part("swatch"),
      trend: part("trend"),
      adjust: part("adjust"),
      adjustText: part("adjust-text"),
      adjusted: part("adjusted"),
      facts: part("facts"),
      name: part("name"),
    };
    this.#id = id;
    this.#field = part("rename");
    part("number").append(personMarkElement(id), String(id));
    if (this.#field) this.#listenToField(rename);
    const more = part("more");
    more.setAttribute("aria-label", t("All expressions of face {id}", { id }));
    more.addEventListener("click", () => {
      const isOpen = this.element.classList.toggle("is-open");
      more.setAttribute("aria-expanded", String(isOpen));
    });
    for (const emotion of emotions) this.#bars.set(emotion, new EmotionBar(emotion));
    part("bars").append(...[...this.#bars.values()].map((bar) => bar.element));
  }

  get isBeingNamed() {
    return this.#field !== null && this.#field === document.activeElement;
  }

  /** @param {string} name empty: the person has none */
  showName(name) {
    const field = this.#field;
    this.element.classList.toggle("is-named", name !== "");
    if (!field) setText(this.#parts.name, name || t("Face {id}", { id: this.#id }));
    if (!field) return;
    field.dataset.name = name;
    if (!this.isBeingNamed) field.value = name;
  }

  #listenToField(rename) {
    const field = this.#field;
    field.placeholder = t("Face {id}", { id: this.#id });
    field.setAttribute("aria-label", t("Name of face {id}", { id: this.#id }));
    field.addEventListener("change", () => rename(field.value));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") field.value = field.dataset.name;
      if (["Enter", "Escape"].includes(event.key)) field.blur();
    });
  }

  /** @param {() => void} adjust only where this page may correct what is shown */
  onAdjust(adjust) {
    const { adjust: button } = this.#parts;
    if (!button) return;
    button.addEventListener("click", adjust);
    this.#showAdjusted(false);
  }

  #showAdjusted(isAdjusted) {
    const { adjust, adjustText, adjusted } = this.#parts;
    if (adjusted) adjusted.hidden = !isAdjusted;
    if (!adjust || this.#isAdjusted === isAdjusted) return;
    this.#isAdjusted = isAdjusted;
    this.element.classList.toggle("is-adjusted", isAdjusted);
    adjustText.textContent = isAdjusted ? t("Adjusted to this person") : t("Adjust to this person");
    adjust.setAttribute(
      "aria-label",
      `${adjustText.textContent} (${t("Face {id}", { id: this.#id })})`,
    );
  }

  /** @param {readonly string[]} texts what is more than the label */
  showFacts(texts) {
    showList(this.#parts.facts, texts);
  }

  show(face, nowMs, hasSecond) {
    const { label, confidence, sure, scores } = face;
    this.#showAdjusted(face.corrected === true);
    this.seenMs = nowMs;
    if (this.#trend.add(sure ? label : null, nowMs)) drawTrend(this.#parts.trend, this.#trend);
    const percent = formatPercent(confidence);
    setText(this.#parts.label, sure ? capitalise(expressionName(face, hasSecond)) : t("Unsure"));
    setText(this.#parts.confidence, sure ? percent : describeDoubt(face));
    this.element.classList.toggle("is-unsure", !sure);
    this.#parts.swatch.style.setProperty("--emotion", emotionColour(label));
    for (const [emotion, bar] of this.#bars) bar.show(scores[emotion], emotion === label);
  }
}

function swatch(emotion) {
  const mark = document.createElement("span");
  mark.className = "swatch";
  mark.style.setProperty("--emotion", emotionColour(emotion));
  return mark;
}

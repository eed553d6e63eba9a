/** Shows expressions to be read from afar: in the presentation, and over another program's picture. */
import { factsOf } from "../affect_texts.js";
import { EmotionBar, setText, showList } from "../emotion_bar.js";
import { capitalise, describeDoubt, expressionName, formatPercent } from "../format.js";
import { personMarkElement } from "../person_mark.js";
import { emotionColour } from "../palette.js";
import { plural, t } from "../words.js";

/** Faster than this nobody reads numbers. */
const SHOW_EVERY_MS = 100;
/** A face that was missed in a few frames keeps its place. */
const HOLD_MS = 1200;
/** So many have all seven bars; more have the one of their label. */
const WHOLE_UP_TO = 2;
export const MOST_FACES = 8;

export class LargeBarsView {
  #list;
  #emotions;
  #now;
  #isOn;
  #isLive = false;
  #faces = new Map();
  #names = new Map();
  #more = document.createElement("li");
  #show = ["second"];
  #shownMs = -Infinity;

  /**
   * @param {{list: HTMLElement}} elements
   * @param {import("../event_bus.js").EventBus} bus
   * @param {{emotions: readonly string[], now: () => number, isOn?: boolean}} deps now:
   *   milliseconds; isOn: shown from the beginning, not only in full screen
   */
  constructor({ list }, bus, { emotions, now, isOn = false }) {
    this.#list = list;
    this.#emotions = emotions;
    this.#now = now;
    this.#isOn = isOn;
    this.#more.className = "large-more";
    bus.on("result", ({ faces }) => this.#update(faces));
    bus.on("session-changed", ({ state }) => this.#restart(state === "live"));
    bus.on("names-changed", ({ names }) => (this.#names = names));
    bus.on("show-changed", ({ show }) => (this.#show = show));
    bus.on("affect-changed", ({ people }) => this.#showFacts(people));
    bus.on("fullscreen-changed", ({ isFullscreen }) => this.#switch(isFullscreen));
    bus.on("connection-changed", ({ state }) =>
      list.classList.toggle("is-stale", state !== "connected"),
    );
  }

  #switch(isOn) {
    this.#isOn = isOn;
    this.#list.hidden = !(this.#isOn && this.#isLive);
  }

  #restart(isLive) {
    this.#isLive = isLive;
    this.#faces.clear();
    this.#list.replaceChildren();
    this.#shownMs = -Infinity;
    this.#switch(this.#isOn);
  }

  /** Kept up also while it is not shown: a presentation begins with what is there. */
  #update(faces) {
    const nowMs = this.#now();
    if (nowMs - this.#shownMs < SHOW_EVERY_MS) return;
    this.#shownMs = nowMs;
    const hasSecond = this.#show.includes("second");
    for (const face of faces) {
      const name = this.#names.get(face.id) ?? "";
      this.#face(face.id).show(face, { name, nowMs, hasSecond });
    }
    for (const [id, { seenMs }] of this.#faces)
      if (nowMs - seenMs > HOLD_MS) this.#faces.delete(id);
    this.#place();
  }

  #showFacts(people) {
    for (const person of people) this.#faces.get(person.id)?.showFacts(factsOf(person, this.#show));
  }

  #face(id) {
    if (!this.#faces.has(id)) this.#faces.set(id, new LargeFace(id, this.#emotions));
    return this.#faces.get(id);
  }

  #place() {
    const inOrder = [...this.#faces].sort(([a], [b]) => a - b).map(([, face]) => face.element);
    const left = inOrder.length - MOST_FACES;
    setText(
      this.#more,
      left > 0 ? plural(left, "and {count} more face", "and {count} more faces") : "",
    );
    const wanted = [...inOrder.slice(0, MOST_FACES), ...(left > 0 ? [this.#more] : [])];
    const isSame =
      wanted.length === this.#list.children.length &&
      wanted.every((element, i) => element === this.#list.children[i]);
    if (!isSame) this.#list.replaceChildren(...wanted);
    this.#list.style.setProperty("--rows", String(wanted.length));
    this.#list.dataset.faces = inOrder.length > WHOLE_UP_TO ? "many" : String(inOrder.length);
  }
}

class LargeFace {
  element = document.createElement("li");
  seenMs = -Infinity;
  #name = document.createElement("span");
  #label = document.createElement("strong");
  #share = document.createElement("span");
  #facts = document.createElement("ul");
  #bars = new Map();

  constructor(id, emotions) {
    const [head, number, bars] = ["p", "span", "ul"].map((tag) => document.createElement(tag));
    this.#facts.className = "large-facts";
    this.#facts.hidden = true;
    this.element.className = "large-face";
    head.className = "large-head";
    number.className = "large-number";
    number.append(personMarkElement(id), String(id));
    this.#name.className = "large-name";
    for (const emotion of emotions) this.#bars.set(emotion, new EmotionBar(emotion));
    head.append(number, this.#name, this.#label, this.#share);
    bars.append(...[...this.#bars.values()].map((bar) => bar.element));
    this.element.append(head, this.#facts, bars);
  }

  /** @param {readonly string[]} texts what is more than the label */
  showFacts(texts) {
    showList(this.#facts, texts);
  }

  show(face, { name, nowMs, hasSecond }) {
    const { label, confidence, sure, scores } = face;
    this.seenMs = nowMs;
    setText(this.#name, name);
    setText(this.#label, sure ? capitalise(expressionName(face, hasSecond)) : t("Unsure"));
    setText(this.#share, sure ? formatPercent(confidence) : `${describeDoubt(face)}?`);
    this.element.style.setProperty("--emotion", emotionColour(label));
    for (const [emotion, bar] of this.#bars) bar.show(scores[emotion], emotion === label);
  }
}

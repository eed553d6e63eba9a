/**
 * Shows one expression's share as a bar with its name and number: the same beside the camera and
 * beside a picture.
 */
import { capitalise, emotionName, formatPercent } from "./format.js";
import { emotionColour } from "./palette.js";

export class EmotionBar {
  element = document.createElement("li");
  #fill = document.createElement("span");
  #value = document.createElement("span");

  /** @param {string} emotion */
  constructor(emotion) {
    const name = document.createElement("span");
    const track = document.createElement("span");
    name.className = "bar-name";
    track.className = "bar-track";
    this.#fill.className = "bar-fill";
    this.#value.className = "bar-value";
    this.element.className = "bar";
    this.element.dataset.emotion = emotion;
    name.textContent = capitalise(emotionName(emotion));
    this.#fill.style.setProperty("--emotion", emotionColour(emotion));
    track.append(this.#fill);
    this.element.append(name, track, this.#value);
  }

  /** @param {number} score 0-1 @param {boolean} isTop */
  show(score, isTop) {
    this.#fill.style.setProperty("transform", `scaleX(${score.toFixed(3)})`);
    setText(this.#value, formatPercent(score));
    this.element.classList.toggle("is-top", isTop);
  }
}

/**
 * Shows texts as the items of a list, which is hidden without any.
 *
 * @param {HTMLElement} list
 * @param {readonly string[]} texts
 */
export function showList(list, texts) {
  list.hidden = texts.length === 0;
  if (list.children.length !== texts.length)
    list.replaceChildren(...texts.map(() => document.createElement("li")));
  texts.forEach((text, i) => setText(list.children[i], text));
}

/** Sets a text only where it is another one: each change costs a layout. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

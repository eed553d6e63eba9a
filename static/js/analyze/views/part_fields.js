/** Fields that say which part of the videos to come is analysed. */
import { readVideoPart } from "../video_part.js";

export class PartFieldsView {
  #elements;

  /**
   * @param {{box: HTMLDetailsElement, start: HTMLInputElement, end: HTMLInputElement, every:
   *   HTMLInputElement}} elements
   */
  constructor(elements) {
    this.#elements = elements;
    for (const name of ["start", "end", "every"])
      elements[name].addEventListener("input", () => this.#check());
  }

  /** @returns {Record<string, string> | null} arguments of the API; null: the reader was told why not */
  read() {
    const { box } = this.#elements;
    const { part, field } = this.#check();
    if (!field) return part;
    box.open = true;
    this.#elements[field].reportValidity();
    return null;
  }

  #check() {
    const { start, end, every } = this.#elements;
    const read = readVideoPart({ start: start.value, end: end.value, every: every.value });
    for (const [name, input] of Object.entries({ start, end, every }))
      input.setCustomValidity(name === read.field ? read.problem : "");
    return read;
  }
}

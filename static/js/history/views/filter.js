/**
 * Asks what to look for: words, a tag, days. They are kept in the page's address, so that Back and
 * a reload keep it.
 */
import { language, t } from "../../shared/words.js";

const TYPING_MS = 250;
const NAMES = ["search", "tag", "from", "to"];

export class FilterView {
  #elements;
  #bus;
  #timer = 0;

  /**
   * @param {{form: HTMLFormElement, search: HTMLInputElement, tag: HTMLSelectElement, from:
   *   HTMLInputElement, to: HTMLInputElement, clear: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits filter-changed {search, tag,
   *   from, to}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    const { form, search, clear } = elements;
    form.addEventListener("submit", (event) => event.preventDefault(), { signal });
    form.addEventListener("change", () => this.#tell(), { signal });
    search.addEventListener("input", () => this.#tellSoon(), { signal });
    clear.addEventListener("click", () => this.#clear(), { signal });
    bus.on("clear-filter-requested", () => this.#clear());
    bus.on("list-changed", ({ tags }) => this.#showTags(tags));
    this.#read(new URLSearchParams(location.search));
  }

  /** @returns {{search: string, tag: string, from: string, to: string}} */
  get value() {
    const { search, tag, from, to } = this.#elements;
    return { search: search.value.trim(), tag: tag.value, from: from.value, to: to.value };
  }

  #read(parameters) {
    for (const name of NAMES) {
      const value = parameters.get(name) ?? "";
      if (name === "tag" && value) this.#showTags([value]);
      this.#elements[name].value = value;
    }
    this.#showClear();
  }

  #clear() {
    for (const name of NAMES) this.#elements[name].value = "";
    this.#tell();
    this.#elements.search.focus();
  }

  #tellSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), TYPING_MS);
  }

  #tell() {
    clearTimeout(this.#timer);
    this.#showClear();
    const present = Object.entries(this.value).filter(([, value]) => value);
    const query = new URLSearchParams(present).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    this.#bus.emit("filter-changed", this.value);
  }

  #showClear() {
    this.#elements.clear.hidden = Object.values(this.value).every((value) => !value);
  }

  /** The chosen tag stays, even when no session has it any more. */
  #showTags(tags) {
    const { tag } = this.#elements;
    const chosen = tag.value;
    const names = [...new Set([...tags, chosen].filter(Boolean))].sort((a, b) =>
      a.localeCompare(b, language),
    );
    tag.replaceChildren(
      new Option(t("All tags"), ""),
      ...names.map((name) => new Option(name, name)),
    );
    tag.value = chosen;
    tag.closest("label").hidden = names.length === 0;
  }
}

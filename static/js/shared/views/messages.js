/** Shows short notes over the stage, one line for each subject. */
import { fromTemplate, partsOf } from "../template_parts.js";

export class MessagesView {
  #list;
  #template;
  #bus;
  #shown = new Map();
  #timers = new Map();
  #details = new Map();

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement}} elements
   * @param {import("../event_bus.js").EventBus} bus
   */
  constructor({ list, template }, bus) {
    this.#list = list;
    this.#template = template;
    this.#bus = bus;
    bus.on("message", (message) => this.#show(message));
    bus.on("message-cleared", ({ id }) => this.#clear(id));
  }

  /** A message of the same id replaces the one that is shown. */
  #show({ id, tone, title, text = "", action = null, link = null, lastsMs = null }) {
    const element = this.#shown.get(id) ?? this.#add(id);
    const part = partsOf(element);
    element.dataset.tone = tone;
    part("title").textContent = title;
    part("text").textContent = text;
    const button = part("action");
    button.hidden = action === null;
    button.textContent = action?.label ?? "";
    button.dataset.request = action?.request ?? "";
    this.#details.set(id, action?.detail);
    const anchor = part("link");
    anchor.hidden = link === null;
    anchor.textContent = link?.label ?? "";
    anchor.href = link?.href ?? "";
    clearTimeout(this.#timers.get(id));
    if (lastsMs !== null)
      this.#timers.set(
        id,
        setTimeout(() => this.#clear(id), lastsMs),
      );
  }

  #add(id) {
    const { element, part } = fromTemplate(this.#template);
    element.dataset.message = id;
    const options = { signal: this.#bus.signal };
    part("dismiss").addEventListener("click", () => this.#clear(id), options);
    const button = part("action");
    button.addEventListener(
      "click",
      () => this.#bus.emit(`${button.dataset.request}-requested`, this.#details.get(id)),
      options,
    );
    this.#shown.set(id, element);
    this.#list.append(element);
    return element;
  }

  #clear(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#details.delete(id);
    this.#shown.get(id)?.remove();
    this.#shown.delete(id);
  }
}

/** Shows how the receivers of events do. */
import { fromTemplate, partsOf } from "../../shared/template_parts.js";
import { plural, t } from "../../shared/words.js";

const STATES = {
  connected: () => t("connected"),
  waiting: () => t("waiting"),
  failing: () => t("failing"),
};

export class ReceiverListView {
  #elements;

  /**
   * @param {{section: HTMLElement, list: HTMLElement, template: HTMLTemplateElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("receivers-changed", ({ receivers }) => this.#show(receivers));
  }

  #show(receivers) {
    const { section, list, template } = this.#elements;
    section.hidden = receivers.length === 0;
    while (list.children.length > receivers.length) list.lastElementChild.remove();
    while (list.children.length < receivers.length) list.append(fromTemplate(template).element);
    receivers.forEach((receiver, index) => fill(list.children[index], receiver));
  }
}

function fill(row, { name, state, reason, dropped }) {
  const part = partsOf(row);
  row.dataset.state = state;
  setText(part("name"), name);
  setText(part("state"), STATES[state]?.() ?? state);
  setText(part("reason"), reason);
  const lost = plural(dropped, "{count} event was lost", "{count} events were lost");
  setText(part("dropped"), dropped > 0 ? lost : "");
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows moments that somebody named: to read, to rename, to find in the chart. */
import { formatDuration } from "../../shared/format.js";
import { t } from "../../shared/words.js";
import { fromTemplate } from "../../shared/template_parts.js";

export class MarkersView {
  #elements;
  #bus;

  /**
   * @param {{list: HTMLElement, none: HTMLElement, template: HTMLTemplateElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   *   emits jump-requested {atS}, marker-rename-requested {id, text}, marker-delete-requested {id}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("markers-changed", ({ markers, addedId }) => this.#show(markers, addedId));
  }

  #show(markers, addedId) {
    const { list, none } = this.#elements;
    const hadFocus = list.contains(document.activeElement);
    none.hidden = markers.length > 0;
    const items = markers.map((marker, i) => this.#item(marker, i + 1));
    list.replaceChildren(...items);
    const added = markers.findIndex(({ id }) => id === addedId);
    if (added >= 0) items[added].querySelector("input").focus();
    else if (hadFocus) items[0]?.querySelector("button").focus();
  }

  #item({ id, at_s, text }, number) {
    const { element: item, part } = fromTemplate(this.#elements.template);
    item.dataset.marker = id;
    part("number").textContent = String(number);
    part("time").textContent = formatDuration(at_s);
    part("jump").addEventListener("click", () => this.#bus.emit("jump-requested", { atS: at_s }));
    part("delete").addEventListener("click", () =>
      this.#bus.emit("marker-delete-requested", { id }),
    );
    part("delete").setAttribute("aria-label", t("Delete marker {number}", { number }));
    this.#listenToText(part("text"), { id, text, number });
    return item;
  }

  #listenToText(input, { id, text, number }) {
    input.value = text;
    input.setAttribute("aria-label", t("Text of marker {number}", { number }));
    const rename = () =>
      input.value.trim() !== text &&
      this.#bus.emit("marker-rename-requested", { id, text: input.value.trim() });
    input.addEventListener("change", rename);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") input.blur();
      if (event.key === "Escape") input.value = text;
    });
  }
}

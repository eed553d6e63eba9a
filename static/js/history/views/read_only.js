/** Shows name, notes, tags and markers of a session of somebody else: to read, not to change. */
import { formatDuration, sessionName } from "../../shared/format.js";
import { t } from "../../shared/words.js";
import { fromTemplate } from "../../shared/template_parts.js";

export class ReadOnlyView {
  #elements;
  #bus;

  /**
   * @param {{name: HTMLElement, notes: HTMLElement, tags: HTMLElement, markers: HTMLElement, none:
   *   HTMLElement, template: HTMLTemplateElement}} elements none: shown without markers
   * @param {import("../../shared/event_bus.js").EventBus} bus emits jump-requested {atS}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("session-changed", ({ session }) => this.#show(session));
    bus.on("markers-changed", ({ markers }) => this.#showMarkers(markers));
  }

  #show(session) {
    const { name, notes, tags } = this.#elements;
    name.textContent = sessionName(session);
    notes.textContent = session.notes || t("No notes.");
    tags.replaceChildren(...session.tags.map(tagItem));
  }

  #showMarkers(markers) {
    const { markers: list, none } = this.#elements;
    none.hidden = markers.length > 0;
    list.replaceChildren(...markers.map((marker, i) => this.#markerItem(marker, i + 1)));
  }

  #markerItem({ at_s, text }, number) {
    const { element: item, part } = fromTemplate(this.#elements.template);
    part("number").textContent = String(number);
    part("time").textContent = formatDuration(at_s);
    part("text").textContent = text;
    part("jump").addEventListener("click", () => this.#bus.emit("jump-requested", { atS: at_s }));
    return item;
  }
}

function tagItem(name) {
  const item = document.createElement("li");
  item.className = "tag";
  item.textContent = name;
  return item;
}

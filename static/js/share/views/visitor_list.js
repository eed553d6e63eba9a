/** Shows who opened a link: with what, from where, since when. */
import { formatNumber, t } from "../../shared/words.js";
import { describeVisitor, deviceName } from "../links.js";
import { fromTemplate } from "../../shared/template_parts.js";
import { KeyedList } from "./keyed_list.js";

export class VisitorListView {
  #elements;
  #rows;

  /**
   * @param {{list: HTMLElement, none: HTMLElement, count: HTMLElement, template:
   *   HTMLTemplateElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits visitor-remove-requested
   *   {visitor, linkName}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#rows = new KeyedList(elements.list, () => new VisitorRow(elements.template, bus));
    bus.on("share-changed", ({ share }) => this.#take(share));
  }

  #take({ visitors, links }) {
    const { none, count } = this.#elements;
    const names = new Map(links.map(({ id, name }) => [id, name]));
    none.hidden = visitors.length > 0;
    count.textContent = visitors.length > 0 ? formatNumber(visitors.length) : "";
    this.#rows.show(visitors, names, new Date());
  }
}

class VisitorRow {
  element;
  #part;
  #shown = null;

  constructor(template, bus) {
    const { element, part } = fromTemplate(template);
    this.element = element;
    this.#part = part;
    part("remove").addEventListener("click", () =>
      bus.emit("visitor-remove-requested", this.#shown),
    );
  }

  show(visitor, names, now) {
    const linkName = names.get(visitor.link) ?? "";
    this.#shown = { visitor, linkName };
    this.element.dataset.visitor = visitor.id;
    this.#part("name").textContent = deviceName(visitor.device);
    this.#part("camera").hidden = !visitor.streams;
    this.#part("facts").textContent = describeVisitor(visitor, linkName, now);
    this.#part("remove").setAttribute(
      "aria-label",
      t("Remove {device} at {address}", {
        device: deviceName(visitor.device),
        address: visitor.address,
      }),
    );
  }
}

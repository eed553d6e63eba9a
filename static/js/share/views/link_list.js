/**
 * Shows all links: the open ones with what can be done about them, and, folded away, those that
 * ended.
 */
import { plural } from "../../shared/words.js";
import { isOpen } from "../links.js";
import { KeyedList } from "./keyed_list.js";
import { LinkRow } from "./link_row.js";

export class LinkListView {
  #elements;
  #open;
  #ended;
  #shownId = null;
  #links = [];

  /**
   * @param {{list: HTMLElement, none: HTMLElement, ended: HTMLDetailsElement, endedTitle:
   *   HTMLElement, endedList: HTMLElement, template: HTMLTemplateElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits what LinkRow does
   */
  constructor(elements, bus) {
    this.#elements = elements;
    const build = () => new LinkRow(elements.template, bus);
    this.#open = new KeyedList(elements.list, build);
    this.#ended = new KeyedList(elements.endedList, build);
    bus.on("share-changed", ({ share }) => this.#take(share.links));
    bus.on("link-copied", ({ url }) => this.#tellCopied(url));
    bus.on("shown-changed", ({ id }) => this.#mark(id));
  }

  #take(links) {
    const { none, ended, endedTitle } = this.#elements;
    this.#links = links;
    const over = links.filter((link) => !isOpen(link));
    none.hidden = links.some(isOpen);
    ended.hidden = over.length === 0;
    endedTitle.textContent = plural(
      over.length,
      "{count} link that ended",
      "{count} links that ended",
    );
    this.#fill();
    this.#ended.show(over, new Date(), null);
  }

  #tellCopied(url) {
    const link = this.#links.find(({ urls }) => urls.includes(url));
    if (link) this.#open.row(link.id)?.tellCopied();
  }

  #mark(id) {
    if (id === this.#shownId) return;
    this.#shownId = id;
    this.#fill();
  }

  #fill() {
    this.#open.show(this.#links.filter(isOpen), new Date(), this.#shownId);
  }
}

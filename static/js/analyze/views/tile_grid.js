/** Shows the grid of pictures. Arrow keys move in it, Delete removes the one that is looked at. */
import { ImageTile } from "./image_tile.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 };

export class TileGridView {
  #elements;
  #bus;
  #load;
  #tiles = new Map();

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits image-selected {id},
   *   image-step-requested {steps}, image-retry-requested {id} and image-remove-requested {id}
   * @param {(item: object, side: number) => Promise<import("../pictures.js").Picture | null>} load
   */
  constructor(elements, bus, load) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#load = load;
    bus.on("images-changed", ({ items }) => this.#fill(items));
    bus.on("image-changed", ({ item }) => this.#tiles.get(item.id)?.show(item));
    bus.on("selection-changed", ({ item }) => this.#select(item?.id ?? null));
    elements.list.addEventListener("keydown", (event) => this.#press(event), { signal });
  }

  #fill(items) {
    const { list, template } = this.#elements;
    const hadFocus = list.contains(document.activeElement);
    const ids = new Set(items.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) if (!ids.has(id)) this.#drop(id, tile);
    for (const item of items) {
      if (this.#tiles.has(item.id)) continue;
      const tile = new ImageTile(template, this.#bus, this.#load);
      tile.show(item);
      this.#tiles.set(item.id, tile);
      list.append(tile.element);
    }
    // One picture alone is shown large already.
    list.hidden = items.length < 2;
    if (hadFocus && !list.contains(document.activeElement))
      list.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  #drop(id, tile) {
    tile.element.remove();
    this.#tiles.delete(id);
  }

  #select(id) {
    for (const [each, tile] of this.#tiles) tile.showSelected(each === id);
  }

  #press(event) {
    if (event.key === "Delete")
      this.#elements.list
        .querySelector('.tile:has([aria-current="true"]) [data-part="remove"]')
        ?.click();
    const steps = STEPS[event.key];
    if (steps === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#bus.emit("image-step-requested", { steps });
    this.#elements.list.querySelector('[aria-current="true"]')?.focus();
  }
}

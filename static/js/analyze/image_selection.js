/**
 * Keeps which picture, face and heat map are looked at. Emits selection-changed with a
 * Selection.
 *
 * @typedef {object} Selection
 * @property {import("./image_queue.js").ImageItem | null} item
 * @property {import("./still_analysis.js").StillFace | null} face
 * @property {number} place of the picture, from 0, among `count`
 * @property {number} count
 * @property {boolean} hasHeat whether heat maps are shown
 * @property {string | null} emotion whose heat map; null: the label's of each face
 */
export class ImageSelection {
  #bus;
  #items = [];
  #id = null;
  #faceId = null;
  #hasHeat = false;
  #emotion = null;

  /** @param {import("../shared/event_bus.js").EventBus} bus */
  constructor(bus) {
    this.#bus = bus;
    bus.on("images-changed", ({ items }) => this.#takeAll(items));
    bus.on("image-changed", ({ item }) => this.#take(item));
  }

  select(id) {
    if (id === this.#id || !this.#items.some((item) => item.id === id)) return;
    this.#become(id);
  }

  /** @param {number} steps to the next picture, or back */
  move(steps) {
    const item = this.#items[this.#place() + steps];
    if (item) this.#become(item.id);
  }

  selectFace(faceId) {
    this.#faceId = faceId;
    this.#tell();
  }

  setHeat(hasHeat) {
    this.#hasHeat = hasHeat;
    this.#tell();
  }

  setEmotion(emotion) {
    this.#emotion = emotion;
    this.#tell();
  }

  #takeAll(items) {
    const place = this.#place();
    this.#items = items;
    const isThere = items.some((item) => item.id === this.#id);
    // The next one takes the place of one that was removed.
    if (isThere) this.#tell();
    else this.#become(items[Math.min(Math.max(place, 0), items.length - 1)]?.id ?? null);
  }

  #take(item) {
    this.#items = this.#items.map((each) => (each.id === item.id ? item : each));
    if (item.id === this.#id) this.#tell();
  }

  #become(id) {
    this.#id = id;
    this.#faceId = null;
    this.#tell();
  }

  #place() {
    return this.#items.findIndex((item) => item.id === this.#id);
  }

  #tell() {
    const place = this.#place();
    const item = this.#items[place] ?? null;
    const faces = item?.result?.faces ?? [];
    const face = faces.find(({ id }) => id === this.#faceId) ?? faces[0] ?? null;
    this.#bus.emit("selection-changed", {
      item,
      face,
      place,
      count: this.#items.length,
      hasHeat: this.#hasHeat,
      emotion: this.#emotion,
    });
  }
}

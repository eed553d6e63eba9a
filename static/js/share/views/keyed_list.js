/**
 * Keeps a list whose rows stay the same elements while what they show changes. A part of the lists
 * of the panel.
 */
export class KeyedList {
  #list;
  #build;
  #rows = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(id: string) => {element: HTMLElement, show: (...item: any[]) => void}} build
   */
  constructor(list, build) {
    this.#list = list;
    this.#build = build;
  }

  /** @param {string} id @returns the row that `build` made, if it is shown */
  row(id) {
    return this.#rows.get(id);
  }

  /**
   * @param {readonly {id: string}[]} items in the order of the rows
   * @param {...any} rest handed to each row
   */
  show(items, ...rest) {
    const rows = new Map(items.map(({ id }) => [id, this.#rows.get(id) ?? this.#build(id)]));
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.element.remove();
    this.#rows = rows;
    items.forEach((item, i) => {
      const row = rows.get(item.id);
      row.show(item, ...rest);
      // A row that is moved would lose the focus.
      if (this.#list.children[i] !== row.element)
        this.#list.insertBefore(row.element, this.#list.children[i] ?? null);
    });
  }
}

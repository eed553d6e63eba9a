/** Remembers choices in this browser. Storage may be full or forbidden: then it forgets. */
const PREFIX = "fer-web.";

export class Preferences {
  #storage;

  /**
   * @param {() => Storage} storage a function, because in some browsers even looking at
   *   localStorage throws
   */
  constructor(storage) {
    try {
      this.#storage = storage();
    } catch {
      this.#storage = null;
    }
  }

  /** @param {string} name @returns {string | null} */
  get(name) {
    try {
      return this.#storage?.getItem(PREFIX + name) ?? null;
    } catch {
      return null;
    }
  }

  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      this.#storage?.setItem(PREFIX + name, value);
    } catch {
      // Remembering is a comfort; without it the page works as on the first visit.
    }
  }

  /** @param {string} name */
  remove(name) {
    try {
      this.#storage?.removeItem(PREFIX + name);
    } catch {
      // Nothing was kept where storage is forbidden.
    }
  }
}

/**
 * Hands dropped files from one page to the next, through the browser's own database. They wait there
 * until the next page takes them, and never for long.
 *
 * @typedef {{files: File[], found: {path: string, file: File}[]}} DroppedFiles see dropped_files.js
 */
export const HANDED_FOR_MS = 600_000;
const DATABASE = "fer-web-handed-files";
const STORE = "files";
const KEY = "newest";

export class HandedFiles {
  #database;

  /** @param {() => IDBFactory} database in some browsers even looking at it throws */
  constructor(database) {
    this.#database = database;
  }

  /** @param {DroppedFiles} dropped @throws {Error} the browser keeps nothing, or has no room */
  async put(dropped) {
    await this.#do((store) => store.put({ ...dropped, atMs: Date.now() }, KEY));
  }

  /** @returns {Promise<DroppedFiles | null>} what the last page handed over; it is forgotten then */
  async take() {
    let request;
    await this.#do((store) => {
      request = store.get(KEY);
      store.delete(KEY);
    });
    const handed = request.result;
    return handed && Date.now() - handed.atMs < HANDED_FOR_MS ? handed : null;
  }

  async #do(act) {
    const database = await this.#open();
    try {
      await new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, "readwrite");
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
        act(transaction.objectStore(STORE));
      });
    } finally {
      database.close();
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    const request = this.#database().open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}

/**
 * The pictures of the page: each is sent once, few at the same time, and has its own state.
 * Emits images-changed {items} when some come or go, and image-changed {item} when one's state
 * changes.
 *
 * @typedef {object} ImageItem
 * @property {number} id
 * @property {File} file
 * @property {string} name
 * @property {"waiting" | "analysing" | "done" | "failed"} state
 * @property {import("./still_analysis.js").StillAnalysis | null} result
 * @property {{code: string, message: string, retryable: boolean} | null} error
 */
import { t } from "../shared/words.js";
import { refusalOf } from "./file_kinds.js";
import { readStillAnalysis } from "./still_analysis.js";
import { TaskLimit, withRetries } from "./task_limit.js";

/** Pictures under way at once: one is analysed while the next one travels. */
const AT_ONCE = 2;

export class ImageQueue {
  #deps;
  #items = new Map();
  #aborts = new Map();
  #limit = new TaskLimit(AT_ONCE);
  #nextId = 1;
  #faces = "auto";

  /**
   * @param {{api: import("./analysis_api.js").AnalysisApi, bus:
   *   import("../shared/event_bus.js").EventBus, emotions: readonly string[], hasHeatmaps: boolean,
   *   maxBytes: number, wait: (ms: number) => Promise<void>}} deps
   */
  constructor(deps) {
    this.#deps = deps;
  }

  /** @returns {ImageItem[]} in the order they came */
  get items() {
    return [...this.#items.values()];
  }

  /** How faces are found. */
  get faces() {
    return this.#faces;
  }

  /** @param {readonly File[]} files */
  add(files) {
    const added = files.map((file) => ({
      ...fresh(file),
      id: this.#nextId++,
      name: file.name || t("pasted picture"),
    }));
    for (const item of added) this.#items.set(item.id, item);
    this.#tellAll();
    for (const item of added) this.#begin(item.id);
  }

  /** @param {string} faces auto, detect or whole; all pictures are analysed again */
  setFaces(faces) {
    if (faces === this.#faces) return;
    this.#faces = faces;
    for (const id of this.#items.keys()) this.retry(id);
  }

  retry(id) {
    const item = this.#items.get(id);
    if (!item) return;
    this.#aborts.get(id)?.abort();
    this.#change(id, fresh(item.file));
    this.#begin(id);
  }

  retryFailed() {
    for (const { id, state } of this.items) if (state === "failed") this.retry(id);
  }

  remove(id) {
    this.#aborts.get(id)?.abort();
    this.#aborts.delete(id);
    if (this.#items.delete(id)) this.#tellAll();
  }

  clear() {
    for (const abort of this.#aborts.values()) abort.abort();
    this.#aborts.clear();
    this.#items.clear();
    this.#tellAll();
  }

  /**
   * Pictures with their boxes drawn by the server.
   *
   * @param {readonly ImageItem[]} items
   * @returns {Promise<Blob[]>} in the same order; rejects with the first error
   */
  annotated(items) {
    const faces = this.#faces;
    return Promise.all(
      items.map(({ file }) => this.#limit.run(() => this.#deps.api.annotated(file, faces))),
    );
  }

  async #begin(id) {
    const { api, emotions, maxBytes, wait } = this.#deps;
    const { file } = this.#items.get(id);
    const refusal = refusalOf(file, maxBytes);
    if (refusal) {
      this.#change(id, { state: "failed", error: refusal });
      return;
    }
    const abort = new AbortController();
    const { signal } = abort;
    this.#aborts.set(id, abort);
    const ask = () => this.#limit.run(() => this.#ask(id, api, signal), signal);
    try {
      const wire = await withRetries(ask, { wait, signal });
      if (!signal.aborted)
        this.#change(id, { state: "done", result: readStillAnalysis(wire, emotions) });
    } catch (error) {
      if (!signal.aborted) this.#change(id, { state: "failed", error: wireError(error) });
    }
  }

  #ask(id, api, signal) {
    this.#change(id, { state: "analysing" });
    return api.predict(
      this.#items.get(id).file,
      { faces: this.#faces, heatmap: this.#deps.hasHeatmaps },
      signal,
    );
  }

  #change(id, changes) {
    const item = { ...this.#items.get(id), ...changes };
    this.#items.set(id, item);
    this.#deps.bus.emit("image-changed", { item });
  }

  #tellAll() {
    this.#deps.bus.emit("images-changed", { items: this.items });
  }
}

function fresh(file) {
  return { file, state: "waiting", result: null, error: null };
}

function wireError({ code = "bad_answer", message, retryable = true }) {
  return { code, message, retryable };
}

/**
 * How far all pictures are.
 *
 * @param {readonly ImageItem[]} items
 */
export function countStates(items) {
  const count = (state) => items.filter((item) => item.state === state).length;
  const [done, failed] = [count("done"), count("failed")];
  return { total: items.length, done, failed, pending: items.length - done - failed };
}

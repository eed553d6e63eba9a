/**
 * Tests the model on a folder of labelled images. Emits folder-changed with a FolderState.
 *
 * @typedef {object} FolderState
 * @property {"none" | "ready" | "running" | "stopping" | "finished" | "failed"} status
 * @property {import("./file_kinds.js").LabelledFolder | null} folder
 * @property {number} sent images that were answered
 * @property {number} total
 * @property {number} right
 * @property {number} scored
 * @property {number | null} etaS
 * @property {boolean} isPartial whether it was stopped before the end
 * @property {{path: string, message: string}[]} unsent images that did not reach the server
 * @property {string | null} id of the test on the server
 * @property {any} report as the server gives it
 * @property {string} problem for people, "" without one
 */
import { serverText } from "../shared/server_errors.js";
import { TaskLimit, withRetries } from "./task_limit.js";

const AT_ONCE = 2;
/** @type {Readonly<FolderState>} */
const NOTHING = Object.freeze({
  status: "none",
  folder: null,
  sent: 0,
  total: 0,
  right: 0,
  scored: 0,
  etaS: null,
  isPartial: false,
  unsent: [],
  id: null,
  report: null,
  problem: "",
});
/** A test that is over or forbidden does not get better with the next image. */
const FATAL = ["not_found", "forbidden", "unreachable", "too_many_jobs"];

export class FolderEvaluation {
  #deps;
  #state = NOTHING;
  #abort = new AbortController();
  #beganMs = 0;

  /**
   * @param {{api: import("./analysis_api.js").AnalysisApi, bus:
   *   import("../shared/event_bus.js").EventBus, wait: (ms: number) => Promise<void>, now: () =>
   *   number}} deps
   */
  constructor(deps) {
    this.#deps = deps;
  }

  get state() {
    return this.#state;
  }

  get #isClosed() {
    return this.#state.status === "none";
  }

  /** @param {import("./file_kinds.js").LabelledFolder} folder */
  choose(folder) {
    if (["running", "stopping"].includes(this.#state.status)) return;
    this.#forget();
    this.#become({
      ...NOTHING,
      status: "ready",
      folder,
      total: folder.images.length,
      problem: folder.problem,
    });
  }

  /** Ends a test that runs, and forgets its folder. */
  close() {
    this.#abort.abort();
    this.#forget();
    this.#become({ ...NOTHING });
  }

  /** Ends the sending; the report is about what was sent. */
  stop() {
    if (this.#state.status !== "running") return;
    this.#become({ status: "stopping" });
    this.#abort.abort();
  }

  /** @param {string} faces auto, detect or whole */
  async start(faces) {
    const { folder } = this.#state;
    const abort = (this.#abort = new AbortController());
    this.#forget();
    this.#become({ ...NOTHING, status: "running", folder, total: folder.images.length });
    this.#beganMs = this.#deps.now();
    try {
      const { id } = await this.#deps.api.createFolderTest({ faces, name: folder.name });
      if (this.#abort !== abort || this.#isClosed)
        return void this.#deps.api.removeFolderTest(id).catch(() => {});
      this.#become({ id });
      await this.#sendAll(id, folder.images, abort);
      if (!this.#isClosed) await this.#finish(id);
    } catch (error) {
      if (!this.#isClosed) this.#become({ status: "failed", problem: serverText(error) });
    }
  }

  async #sendAll(id, images, abort) {
    const limit = new TaskLimit(AT_ONCE);
    await Promise.all(
      images.map((image) =>
        limit.run(() => this.#send(id, image, abort), abort.signal).catch(ignoreAbort),
      ),
    );
    if (abort.signal.reason instanceof StoppedByError) throw abort.signal.reason.cause;
  }

  async #send(id, { path, file }, abort) {
    const { api, wait } = this.#deps;
    const { signal } = abort;
    try {
      const { outcome } = await withRetries(() => api.sendFolderImage(id, path, file, signal), {
        wait,
        signal,
      });
      this.#count(outcome);
    } catch (error) {
      if (signal.aborted) return;
      if (FATAL.includes(error.code)) abort.abort(new StoppedByError(error));
      else
        this.#become({
          unsent: [...this.#state.unsent, { path, message: serverText(error) }],
          sent: this.#state.sent + 1,
        });
    }
  }

  #count(outcome) {
    const { sent, right, scored, total } = this.#state;
    const isScored = outcome === "right" || outcome === "wrong";
    const perImageMs = (this.#deps.now() - this.#beganMs) / (sent + 1);
    this.#become({
      sent: sent + 1,
      right: right + (outcome === "right" ? 1 : 0),
      scored: scored + (isScored ? 1 : 0),
      etaS: ((total - sent - 1) * perImageMs) / 1000,
    });
  }

  async #finish(id) {
    const report = await withRetries(() => this.#deps.api.folderReport(id), {
      wait: this.#deps.wait,
    });
    this.#become({ status: "finished", report, isPartial: this.#state.sent < this.#state.total });
  }

  /** The server keeps nothing that is not looked at any more. */
  #forget() {
    if (this.#state.id !== null) this.#deps.api.removeFolderTest(this.#state.id).catch(() => {});
  }

  #become(changes) {
    this.#state = { ...this.#state, ...changes };
    this.#deps.bus.emit("folder-changed", this.#state);
  }
}

class StoppedByError extends Error {
  constructor(cause) {
    super("The test was stopped by an error.", { cause });
  }
}

function ignoreAbort(error) {
  if (error.name !== "AbortError" && !(error instanceof StoppedByError)) throw error;
}

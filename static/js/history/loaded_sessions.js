/**
 * Holds the sessions that the list shows: loaded by pages, changed one by one. Emits list-changed
 * with a ListState.
 *
 * @typedef {{search: string, tag: string, from: string, to: string}} SessionFilter
 *
 * @typedef {object} ListState
 * @property {"loading" | "ready" | "failed"} status
 * @property {import("./sessions_api.js").Session[]} sessions
 * @property {number} total that fit the filter
 * @property {boolean} hasMore
 * @property {string[]} tags of all sessions
 * @property {number | null} retentionDays
 * @property {boolean} isFiltered
 * @property {string} problem for people, "" without one
 */
import { sessionName } from "../shared/format.js";
import { serverText } from "../shared/server_errors.js";
import { sitePath } from "../shared/site_path.js";
import { plural, t } from "../shared/words.js";

const PAGE_SIZE = 50;

export class LoadedSessions {
  #api;
  #bus;
  /** @type {SessionFilter} */
  #filter = { search: "", tag: "", from: "", to: "" };
  #state = {
    status: "loading",
    sessions: [],
    total: 0,
    tags: [],
    retentionDays: null,
    problem: "",
  };
  #cursor = null;
  #loading = new AbortController();

  /**
   * @param {{api: import("./sessions_api.js").SessionsApi, bus:
   *   import("../shared/event_bus.js").EventBus}} deps
   */
  constructor({ api, bus }) {
    this.#api = api;
    this.#bus = bus;
  }

  /** @param {SessionFilter} filter */
  async load(filter) {
    this.#filter = filter;
    this.#cursor = null;
    this.#become({ status: "loading" });
    await this.#fetchPage([]);
  }

  async reload() {
    await this.load(this.#filter);
  }

  async more() {
    if (this.#cursor !== null) await this.#fetchPage(this.#state.sessions);
  }

  /** @returns {Promise<boolean>} whether the server took the name */
  async rename(id, name) {
    const renamed = await this.#try(t("The name was not changed"), () =>
      this.#api.update(id, { name }),
    );
    if (renamed) this.#replace(renamed);
    return renamed !== null;
  }

  async remove(id) {
    const session = this.#state.sessions.find((each) => each.id === id);
    if (!(await this.#try(t("The session was not deleted"), () => this.#api.remove(id)))) return;
    const sessions = this.#state.sessions.filter((each) => each.id !== id);
    this.#become({ sessions, total: Math.max(0, this.#state.total - 1) });
    this.#offerUndo(id, session ? sessionName(session) : t("The session"));
  }

  async restore(id) {
    if (!(await this.#try(t("The session did not come back"), () => this.#api.restore(id)))) return;
    this.#bus.emit("message-cleared", { id: `deleted-${id}` });
    await this.reload();
  }

  async removeAll() {
    const answer = await this.#try(t("Nothing was deleted"), () => this.#api.removeAll());
    if (!answer) return;
    const text = plural(answer.deleted, "{count} session is gone.", "{count} sessions are gone.");
    const title = t("Deleted");
    this.#bus.emit("message", { id: "all", tone: "info", title, text, lastsMs: 8000 });
    await this.reload();
  }

  /** @param {File} file an export in JSON or CSV */
  async importFile(file) {
    const title = t("{name} was not imported", { name: file.name });
    const session = await this.#try(title, () => this.#api.importFile(file));
    if (!session) return;
    const link = { label: t("Open"), href: sitePath(`/history/${encodeURIComponent(session.id)}`) };
    this.#bus.emit("message", {
      id: "import",
      tone: "info",
      title: t("Imported"),
      text: sessionName(session),
      link,
      lastsMs: 15_000,
    });
    await this.reload();
  }

  /** @param {string} id of a session that was deleted on another page */
  offerUndo(id, name) {
    this.#offerUndo(id, name);
  }

  #offerUndo(id, name) {
    const action = { label: t("Undo"), request: "restore", detail: { id } };
    this.#bus.emit("message", {
      id: `deleted-${id}`,
      tone: "info",
      title: t("Deleted"),
      text: name,
      action,
      lastsMs: 20_000,
    });
  }

  async #fetchPage(before) {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    try {
      const filter = { ...this.#filter, cursor: this.#cursor ?? "", limit: PAGE_SIZE };
      this.#take(before, await this.#api.list(filter, signal));
    } catch (error) {
      if (!signal.aborted) this.#become({ status: "failed", problem: serverText(error) });
    }
  }

  #take(before, { sessions, next, total, tags, retention_days }) {
    this.#cursor = next;
    // A session that was recorded meanwhile shifts nothing: the cursor is a session, not a number.
    this.#become({
      status: "ready",
      problem: "",
      sessions: [...before, ...sessions],
      total,
      tags,
      retentionDays: retention_days,
    });
  }

  #replace(session) {
    const sessions = this.#state.sessions.map((each) =>
      each.id === session.id ? { ...each, ...session } : each,
    );
    this.#become({ sessions });
  }

  #become(changes) {
    this.#state = { ...this.#state, ...changes };
    const isFiltered = Object.values(this.#filter).some((value) => value !== "");
    this.#bus.emit("list-changed", { ...this.#state, hasMore: this.#cursor !== null, isFiltered });
  }

  async #try(title, act) {
    try {
      return await act();
    } catch (error) {
      this.#bus.emit("message", {
        id: "trouble",
        tone: "error",
        title,
        text: serverText(error),
        lastsMs: 15_000,
      });
      return null;
    }
  }
}

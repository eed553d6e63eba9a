/**
 * Holds one session: what the server holds of it, how it is looked at, and its edits.
 *
 * Emits: session-changed {session}: name, notes, tags or state; markers-changed {markers};
 *   view-loading; view-changed {samples, summary, view}; load-failed {problem}.
 *
 * @typedef {{face: number | null, smoothingS: number}} View face null: all together
 */
import { serverText } from "../shared/server_errors.js";
import { t } from "../shared/words.js";
import { POINTS } from "./detail.js";
import { parseSamples } from "./samples.js";

export class SessionData {
  #api;
  #bus;
  #id;
  #session = null;
  #view;
  #loading = new AbortController();

  /**
   * @param {{api: import("./sessions_api.js").SessionsApi, bus:
   *   import("../shared/event_bus.js").EventBus, id: string, view: View}} deps
   */
  constructor({ api, bus, id, view }) {
    this.#view = view;
    this.#api = api;
    this.#bus = bus;
    this.#id = id;
  }

  get session() {
    return this.#session;
  }

  /** Everything; the chart's columns travel at the same time as the rest. */
  async load() {
    const { signal } = (this.#loading = new AbortController());
    try {
      const [session, view] = await Promise.all([
        this.#api.session(this.#id, signal),
        this.#fetchView(signal),
      ]);
      this.#take(session);
      this.#bus.emit("markers-changed", { markers: session.markers });
      this.#showView(view);
    } catch (error) {
      if (!signal.aborted) this.#bus.emit("load-failed", { problem: error });
    }
  }

  /** @param {Partial<View>} changes */
  async setView(changes) {
    this.#view = { ...this.#view, ...changes };
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    this.#bus.emit("view-loading");
    try {
      this.#showView(await this.#fetchView(signal));
    } catch (error) {
      if (!signal.aborted) this.#trouble(t("This view could not be loaded"), error);
    }
  }

  /**
   * @param {{name?: string, notes?: string, tags?: string[]}} changes
   * @returns {Promise<boolean>}
   */
  async update(changes) {
    const session = await this.#try(t("The change was not saved"), () =>
      this.#api.update(this.#id, changes),
    );
    if (session) this.#take({ ...this.#session, ...session });
    // What is on the page and not on the server must not look saved.
    else this.#take(this.#session);
    return session !== null;
  }

  /**
   * @param {number} face
   * @param {{name?: string, same_as?: number}} changes same_as: its own number takes it apart
   */
  async updatePerson(face, changes) {
    const saved = await this.#try(t("The change was not saved"), () =>
      this.#api.updatePerson(this.#id, face, changes),
    );
    // A list of its own also where nothing was saved: the page shows what is stored.
    this.#take({ ...this.#session, face_list: [...this.#session.face_list], ...saved });
    if (!saved || changes.same_as === undefined) return;
    if (changes.same_as !== face) this.#tellMerge(face, changes.same_as);
    // A person that is no more cannot be looked at alone.
    await this.setView({ face: null });
  }

  #tellMerge(face, into) {
    const detail = { face, changes: { same_as: face } };
    const action = { label: t("Undo"), request: "person-change", detail };
    const text = t("Face {face} is the same person as face {into}.", { face, into });
    const told = { id: "people", tone: "info", title: t("Merged"), text, action, lastsMs: 15_000 };
    this.#bus.emit("message", told);
  }

  /** @param {{at_s: number, text: string}} marker */
  async addMarker(marker) {
    const added = await this.#try(t("The marker was not set"), () =>
      this.#api.addMarker(this.#id, marker),
    );
    if (added)
      this.#setMarkers(
        [...this.#session.markers, added.marker ?? added],
        (added.marker ?? added).id,
      );
  }

  async renameMarker(markerId, text) {
    const done = await this.#try(t("The marker was not renamed"), () =>
      this.#api.updateMarker(this.#id, markerId, { text }),
    );
    const rename = (marker) => (marker.id === markerId ? { ...marker, text } : marker);
    this.#setMarkers(done ? this.#session.markers.map(rename) : this.#session.markers);
  }

  async removeMarker(markerId) {
    const gone = this.#session.markers.find((marker) => marker.id === markerId);
    if (
      !gone ||
      !(await this.#try(t("The marker was not deleted"), () =>
        this.#api.removeMarker(this.#id, markerId),
      ))
    )
      return;
    this.#setMarkers(this.#session.markers.filter((marker) => marker.id !== markerId));
    const action = {
      label: t("Undo"),
      request: "marker-add",
      detail: { atS: gone.at_s, text: gone.text },
    };
    this.#bus.emit("message", {
      id: "marker",
      tone: "info",
      title: t("Marker deleted"),
      text: gone.text,
      action,
      lastsMs: 15_000,
    });
  }

  /** @returns {Promise<boolean>} */
  async remove() {
    return (
      (await this.#try(t("The session was not deleted"), () => this.#api.remove(this.#id))) !== null
    );
  }

  async #fetchView(signal) {
    const query = { face: this.#view.face, smoothing_s: this.#view.smoothingS };
    const [samples, summary] = await Promise.all([
      this.#api.samples(this.#id, { ...query, points: POINTS }, signal),
      this.#api.summary(this.#id, query, signal),
    ]);
    return { samples, summary, view: { ...this.#view } };
  }

  #showView({ samples, summary, view }) {
    const parsed = parseSamples(samples, this.#session.labels);
    this.#bus.emit("view-changed", { samples: parsed, summary, view, session: this.#session });
  }

  #take(session) {
    this.#session = session;
    this.#bus.emit("session-changed", { session });
  }

  #setMarkers(markers, addedId = null) {
    const sorted = [...markers].sort((a, b) => a.at_s - b.at_s);
    this.#session = { ...this.#session, markers: sorted };
    this.#bus.emit("markers-changed", { markers: sorted, addedId });
  }

  async #try(title, act) {
    try {
      return await act();
    } catch (error) {
      this.#trouble(title, error);
      return null;
    }
  }

  #trouble(title, error) {
    this.#bus.emit("message", {
      id: "trouble",
      tone: "error",
      title,
      text: serverText(error),
      lastsMs: 15_000,
    });
  }
}

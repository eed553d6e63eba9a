/**
 * This module asks for sessions of the history over HTTP.
 *
 * @typedef {object} Session
 * @property {string} id
 * @property {string} name
 * @property {"running" | "finished" | "interrupted"} state
 * @property {string} started_at UTC, ISO 8601
 * @property {number} length_s
 * @property {number} faces
 * @property {number} samples
 * @property {string | null} dominant
 * @property {(string | null)[]} strip dominant label of 60 equal parts, "unsure", or null for
 *   nobody
 * @property {string[]} tags
 * @property {string} notes
 * @property {boolean} mine
 *
 * @typedef {{id: string, at_s: number, text: string}} Marker
 */

import { ApiError, JsonRequests, pathOf } from "../shared/json_requests.js";
import { sitePath } from "../shared/site_path.js";

export { ApiError };

const SESSIONS = sitePath("/api/v1/sessions");

/**
 * All methods reject with an ApiError, whose message is for people; an abort rejects as fetch does.
 */
export class SessionsApi {
  #requests;

  /** @param {typeof globalThis.fetch} fetch */
  constructor(fetch) {
    this.#requests = new JsonRequests(fetch);
  }

  /**
   * @param {{search?: string, tag?: string, from?: string, to?: string, cursor?: string, limit?:
   *   number}} filter
   * @param {AbortSignal} [signal]
   */
  list(filter, signal) {
    return this.#requests.get(`${SESSIONS}${query(filter)}`, signal);
  }

  session(id, signal) {
    return this.#requests.get(path(id), signal);
  }

  /** @param {{face?: number | null, smoothing_s?: number}} view */
  samples(id, view, signal) {
    return this.#requests.get(`${path(id, "samples")}${query(view)}`, signal);
  }

  /** @param {{face?: number | null, smoothing_s?: number}} view */
  summary(id, view, signal) {
    return this.#requests.get(`${path(id, "summary")}${query(view)}`, signal);
  }

  /**
   * @param {{name?: string, notes?: string, tags?: string[]}} changes
   * @returns {Promise<Session>}
   */
  update(id, changes) {
    return this.#requests.send("PATCH", path(id), changes);
  }

  /** @returns {Promise<{undo_s: number}>} for how long restore() brings it back */
  remove(id) {
    return this.#requests.send("DELETE", path(id), {});
  }

  restore(id) {
    return this.#requests.send("POST", path(id, "restore"), {});
  }

  /** @returns {Promise<{deleted: number}>} */
  removeAll() {
    return this.#requests.send("DELETE", SESSIONS, {});
  }

  /** @param {Blob} file an export in JSON or CSV, in any encoding @returns {Promise<Session>} */
  importFile(file) {
    return this.#requests.sendBytes(`${SESSIONS}/import`, file);
  }

  /** @param {{at_s: number, text: string}} marker @returns {Promise<Marker>} */
  addMarker(id, marker) {
    return this.#requests.send("POST", path(id, "markers"), marker);
  }

  /**
   * @param {number} face
   * @param {{name?: string, same_as?: number}} changes same_as: its own number takes it apart
   * @returns {Promise<{face_list: import("./people.js").SessionFace[], faces: number}>}
   */
  updatePerson(id, face, changes) {
    return this.#requests.send("PATCH", path(id, "faces", String(face)), changes);
  }

  updateMarker(id, markerId, changes) {
    return this.#requests.send("PATCH", path(id, "markers", markerId), changes);
  }

  removeMarker(id, markerId) {
    return this.#requests.send("DELETE", path(id, "markers", markerId), {});
  }
}

/**
 * @param {string} id
 * @param {string} format
 * @returns {string} address of a file of the session
 */
export const exportPath = (id, format) => `${path(id, "export")}${query({ format })}`;

function path(...parts) {
  return pathOf(SESSIONS, ...parts);
}

/** Empty and absent values are left out. */
function query(values) {
  const present = Object.entries(values).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  const text = new URLSearchParams(
    present.map(([name, value]) => [name, String(value)]),
  ).toString();
  return text && `?${text}`;
}

/**
 * The history's part of the server over HTTP.
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
 * @property {(string | null)[]} strip dominant label of 60 equal parts, "unsure", or null for nobody
 * @property {string[]} tags
 * @property {string} notes
 * @property {boolean} mine
 *
 * @typedef {{id: string, at_s: number, text: string}} Marker
 */

const SESSIONS = "/api/v1/sessions";

export class ApiError extends Error {
  name = "ApiError";

  /** @param {{code: string, message: string, retryable: boolean}} error */
  constructor({ code, message, retryable }, cause) {
    super(message, { cause });
    this.code = code;
    this.retryable = retryable;
  }
}

/** All methods reject with an ApiError, whose message is for people; an abort rejects as fetch does. */
export class HistoryApi {
  #fetch;

  /** @param {typeof fetch} fetch */
  constructor(fetch) {
    this.#fetch = fetch;
  }

  /**
   * @param {{search?: string, tag?: string, from?: string, to?: string, cursor?: string, limit?: number}} filter
   * @param {AbortSignal} [signal]
   */
  list(filter, signal) {
    return this.#get(`${SESSIONS}${query(filter)}`, signal);
  }

  session(id, signal) {
    return this.#get(path(id), signal);
  }

  /** @param {{face?: number | null, smoothing_s?: number}} view */
  samples(id, view, signal) {
    return this.#get(`${path(id, "samples")}${query(view)}`, signal);
  }

  /** @param {{face?: number | null, smoothing_s?: number}} view */
  summary(id, view, signal) {
    return this.#get(`${path(id, "summary")}${query(view)}`, signal);
  }

  /** @param {{name?: string, notes?: string, tags?: string[]}} changes @returns {Promise<Session>} */
  update(id, changes) {
    return this.#send("PATCH", path(id), changes);
  }

  /** @returns {Promise<{undo_s: number}>} for how long restore() brings it back */
  remove(id) {
    return this.#send("DELETE", path(id), {});
  }

  restore(id) {
    return this.#send("POST", path(id, "restore"), {});
  }

  /** @returns {Promise<{deleted: number}>} */
  removeAll() {
    return this.#send("DELETE", SESSIONS, {});
  }

  /** @param {string} json an export in JSON, as text @returns {Promise<Session>} */
  importText(json) {
    return this.#request("POST", `${SESSIONS}/import`, { body: json });
  }

  /** @param {{at_s: number, text: string}} marker @returns {Promise<Marker>} */
  addMarker(id, marker) {
    return this.#send("POST", path(id, "markers"), marker);
  }

  updateMarker(id, markerId, changes) {
    return this.#send("PATCH", path(id, "markers", markerId), changes);
  }

  removeMarker(id, markerId) {
    return this.#send("DELETE", path(id, "markers", markerId), {});
  }

  #get(url, signal) {
    return this.#request("GET", url, { signal });
  }

  #send(method, url, value) {
    return this.#request(method, url, { body: JSON.stringify(value) });
  }

  async #request(method, url, { body, signal } = {}) {
    const headers = { Accept: "application/json", ...(body !== undefined && { "Content-Type": "application/json" }) };
    let response;
    try {
      response = await this.#fetch(url, { method, headers, body, signal, credentials: "same-origin" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError({ code: "unreachable", message: "The server does not answer. Is it running?", retryable: true }, error);
    }
    return read(response);
  }
}

/**
 * @param {string} id
 * @param {string} format
 * @returns {string} address of a file of the session
 */
export const exportPath = (id, format) => `${path(id, "export")}${query({ format })}`;

async function read(response) {
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const message = answer?.error?.message ?? `The server's answer (status ${response.status}) could not be read.`;
  throw new ApiError({ code: answer?.error?.code ?? "bad_answer", message, retryable: answer?.error?.retryable === true });
}

function path(...parts) {
  return [SESSIONS, ...parts.map(encodeURIComponent)].join("/");
}

/** Empty and absent values are left out. */
function query(values) {
  const present = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(present.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

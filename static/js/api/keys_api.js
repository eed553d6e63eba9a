/**
 * This module asks for the keys of programs over HTTP; the server answers only the host.
 *
 * @typedef {object} ApiKey
 * @property {string} id
 * @property {string} name
 * @property {string} created_at in UTC, as the other times
 * @property {string | null} last_used_at
 * @property {string | null} revoked_at
 * @property {string} [key] what opens, of a new one only
 */
import { JsonRequests, pathOf } from "../shared/json_requests.js";
import { sitePath } from "../shared/site_path.js";

const KEYS = sitePath("/api/v1/keys");

/** All methods reject with an ApiError, whose message is for people. */
export class KeysApi {
  #requests;

  /** @param {typeof globalThis.fetch} fetch */
  constructor(fetch) {
    this.#requests = new JsonRequests(fetch);
  }

  /** @returns {Promise<ApiKey[]>} the newest first */
  async list() {
    return (await this.#requests.get(KEYS)).keys;
  }

  /** @param {string} name @returns {Promise<ApiKey>} */
  create(name) {
    return this.#requests.send("POST", KEYS, { name });
  }

  /** @param {string} id */
  revoke(id) {
    return this.#requests.send("DELETE", pathOf(KEYS, id), {});
  }
}

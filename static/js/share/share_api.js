/**
 * This module asks for links and visitors over HTTP; the server answers only the host.
 *
 * @typedef {object} SharedLink
 * @property {string} id
 * @property {"join" | "watch" | "session"} kind
 * @property {string} name
 * @property {number} created_ms since 1970, as expires_ms
 * @property {number} expires_ms
 * @property {"open" | "expired" | "revoked" | "stopped"} state
 * @property {string | null} session what a "session" link shows
 * @property {boolean} video whether watchers see the picture too
 * @property {number} visitors
 * @property {string[]} urls full addresses of the link, the best first; none unless it is open
 *
 * @typedef {object} Visitor
 * @property {string} id
 * @property {string} link id of the link that let them in
 * @property {string} device such as "Chrome on Android"
 * @property {string} address
 * @property {number} since_ms since 1970
 * @property {boolean} streams whether their camera is on
 * @property {number} connections
 *
 * @typedef {object} Share
 * @property {boolean} can_share
 * @property {string | null} reason why it cannot
 * @property {{url: string, kind: string}[]} addresses
 * @property {string | null} fingerprint of our authority's certificate
 * @property {SharedLink[]} links newest first
 * @property {Visitor[]} visitors
 */
import { JsonRequests, pathOf } from "../shared/json_requests.js";
import { sitePath } from "../shared/site_path.js";

const SHARE = sitePath("/api/v1/share");

/**
 * All methods reject with an ApiError, whose message is for people; an abort rejects as fetch does.
 */
export class ShareApi {
  #requests;

  /** @param {typeof globalThis.fetch} fetch */
  constructor(fetch) {
    this.#requests = new JsonRequests(fetch);
  }

  /** @param {AbortSignal} [signal] @returns {Promise<Share>} */
  share(signal) {
    return this.#requests.get(SHARE, signal);
  }

  /**
   * @param {{kind: string, name: string, hours?: number, session?: string, video?: boolean}} link
   * @returns {Promise<SharedLink>}
   */
  createLink(link) {
    return this.#requests.send("POST", `${SHARE}/links`, link);
  }

  /** @param {string} id @param {boolean} video @returns {Promise<SharedLink>} */
  setVideo(id, video) {
    return this.#requests.send("PATCH", pathOf(`${SHARE}/links`, id), { video });
  }

  /** @param {string} id @returns {Promise<SharedLink>} */
  revokeLink(id) {
    return this.#requests.send("DELETE", pathOf(`${SHARE}/links`, id), {});
  }

  /** @param {string} id */
  removeVisitor(id) {
    return this.#requests.send("DELETE", pathOf(`${SHARE}/visitors`, id), {});
  }

  stop() {
    return this.#requests.send("POST", `${SHARE}/stop`, {});
  }
}

/**
 * @param {SharedLink} link
 * @param {number} address index into link.urls
 * @returns {string} address of the QR code's picture; another one when the network's address
 *   changed
 */
export function qrPath(link, address) {
  const host = new URL(link.urls[address]).host;
  return `${pathOf(`${SHARE}/links`, link.id)}/qr.svg?${new URLSearchParams({ address: String(address), at: host })}`;
}

/** Where the server's pages are: below a path of its host, where it was started with one. */

const BASE = /** @type {HTMLMetaElement | null | undefined} */ (
  globalThis.document?.querySelector?.('meta[name="fer-base"]')
)?.content;

/**
 * @param {string} path of this server, such as /history
 * @returns {string} as browsers must ask for it, such as /fer/history
 */
export const sitePath = (path) => `${BASE ?? ""}${path}`;

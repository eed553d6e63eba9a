/** Asks our own server in JSON. `fetch` is passed in, so that tests need no network. */
const NO_CONTENT = 204;

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
export class JsonRequests {
  #fetch;

  /** @param {typeof fetch} fetch */
  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** @param {string} url @param {AbortSignal} [signal] */
  get(url, signal) {
    return this.#request("GET", url, { signal });
  }

  /** @param {string} method @param {string} url @param {object} value */
  send(method, url, value) {
    return this.sendText(method, url, JSON.stringify(value));
  }

  /** @param {string} method @param {string} url @param {string} json */
  sendText(method, url, json) {
    return this.#request(method, url, { body: json });
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
 * @param {...string} parts after the first one, each is escaped
 * @returns {string} address
 */
export const pathOf = (root, ...parts) => [root, ...parts.map(encodeURIComponent)].join("/");

async function read(response) {
  if (response.status === NO_CONTENT) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const message = answer?.error?.message ?? `The server's answer (status ${response.status}) could not be read.`;
  throw new ApiError({ code: answer?.error?.code ?? "bad_answer", message, retryable: answer?.error?.retryable === true });
}

/** Asks our own server in JSON. `fetch` is passed in, so that tests need no network. */
import { t } from "./words.js";
const BYTES = "application/octet-stream";
const NO_CONTENT = 204;

export class ApiError extends Error {
  name = "ApiError";

  /** @param {{code: string, message: string, retryable: boolean}} error @param {unknown} [cause] */
  constructor({ code, message, retryable }, cause = undefined) {
    super(message, { cause });
    this.code = code;
    this.retryable = retryable;
  }
}

/**
 * All methods reject with an ApiError, whose message is for people; an abort rejects as fetch does.
 */
export class JsonRequests {
  #fetch;

  /** @param {typeof globalThis.fetch} fetch */
  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** @param {string} url @param {AbortSignal} [signal] */
  get(url, signal) {
    return this.#request("GET", url, { signal });
  }

  /** @param {string} method @param {string} url @param {object} value */
  send(method, url, value) {
    return this.#request(method, url, { body: JSON.stringify(value) });
  }

  /**
   * @param {string} url
   * @param {Blob} bytes of any kind
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>} the answer in JSON
   */
  sendBytes(url, bytes, signal) {
    return this.#request("POST", url, { body: bytes, signal, type: BYTES });
  }

  /** @param {string} url @returns {Promise<Blob>} the answer as a file */
  async file(url) {
    return fileOf(await this.#fetched("GET", url, {}));
  }

  /**
   * @param {string} url
   * @param {Blob} bytes
   * @param {AbortSignal} [signal]
   * @returns {Promise<Blob>} the answer as a file
   */
  async exchange(url, bytes, signal) {
    return fileOf(await this.#fetched("POST", url, { body: bytes, signal, type: BYTES }));
  }

  async #request(method, url, options) {
    return read(await this.#fetched(method, url, options));
  }

  /**
   * @param {string} method
   * @param {string} url
   * @param {{body?: BodyInit, signal?: AbortSignal, type?: string}} options
   */
  async #fetched(method, url, { body, signal, type = "application/json" }) {
    const headers = {
      Accept: "application/json",
      ...(body !== undefined && { "Content-Type": type }),
    };
    // What is removed while the page is left is removed all the same.
    const keepalive = method === "DELETE";
    try {
      return await this.#fetch(url, {
        method,
        headers,
        body,
        signal,
        keepalive,
        credentials: "same-origin",
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError(
        {
          code: "unreachable",
          message: t("The server does not answer. Is it running?"),
          retryable: true,
        },
        error,
      );
    }
  }
}

/**
 * @param {...string} parts after the first one, each is escaped
 * @returns {string} address
 */
export const pathOf = (root, ...parts) => [root, ...parts.map(encodeURIComponent)].join("/");

async function fileOf(response) {
  if (!response.ok) await read(response);
  return response.blob();
}

async function read(response) {
  if (response.status === NO_CONTENT) return null;
  const answer = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw errorOf(answer, response.status);
}

/**
 * @param {any} answer in our error shape, or anything else
 * @param {number} status
 * @returns {ApiError}
 */
export function errorOf(answer, status) {
  const message =
    answer?.error?.message ??
    t("The server's answer (status {status}) could not be read.", { status });
  return new ApiError({
    code: answer?.error?.code ?? "bad_answer",
    message,
    retryable: answer?.error?.retryable === true,
  });
}

/** Sends a large file with progress, which fetch cannot tell. */
import { ApiError, errorOf } from "./json_requests.js";
import { t } from "./words.js";

/**
 * @param {XMLHttpRequest} request a new one
 * @param {{url: string, body: Blob, onProgress: (sentBytes: number) => void, signal: AbortSignal}}
 *   upload
 * @returns {Promise<any>} the answer in JSON; rejects with an ApiError, or an AbortError
 */
export function uploadFile(request, { url, body, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => settle(request, resolve, reject);
    request.onerror = () => reject(lost());
    request.onabort = () => reject(new DOMException("The upload was cancelled.", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

function settle(request, resolve, reject) {
  const answer = parsed(request.responseText);
  if (request.status >= 200 && request.status < 300 && answer !== null) resolve(answer);
  else reject(errorOf(answer, request.status));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function lost() {
  const message = t("The connection broke, or the file cannot be read any more. Try again.");
  return new ApiError({ code: "unreachable", message, retryable: true });
}

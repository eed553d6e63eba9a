/**
 * This module asks the server to analyse files.
 *
 * @typedef {object} VideoJob
 * @property {string} id
 * @property {string} name
 * @property {"queued" | "running" | "finished" | "failed" | "cancelled"} state
 * @property {number | null} position in the queue
 * @property {number} frames
 * @property {number | null} frames_total
 * @property {number | null} progress 0-1
 * @property {number | null} eta_s
 * @property {number} faces
 * @property {number | null} fps frames analysed a second
 * @property {string | null} session of the history
 * @property {{code: string, message: string} | null} error
 * @property {string[]} remarks what whoever reads the results should know
 * @property {boolean} annotated whether there is a video with boxes
 */
import { ApiError, JsonRequests, pathOf } from "../shared/json_requests.js";
import { sitePath } from "../shared/site_path.js";
import { uploadFile } from "../shared/upload.js";
import { t } from "../shared/words.js";

const API = sitePath("/api/v1");

/**
 * All methods reject with an ApiError, whose message is for people; an abort rejects with an
 * AbortError.
 */
export class AnalysisApi {
  #requests;
  #newUpload;

  /** @param {{fetch: typeof globalThis.fetch, newUpload: () => XMLHttpRequest}} deps */
  constructor({ fetch, newUpload }) {
    this.#requests = new JsonRequests(fetch);
    this.#newUpload = newUpload;
  }

  /**
   * @param {File} file
   * @param {{faces: string, heatmap: boolean}} how faces: auto, detect or whole
   * @param {AbortSignal} signal
   */
  async predict(file, { faces, heatmap }, signal) {
    return this.#requests.sendBytes(
      `${API}/predict?faces=${faces}&heatmap=${heatmap ? 1 : 0}`,
      await readable(file),
      signal,
    );
  }

  /** @returns {Promise<Blob>} the picture with its boxes, a JPEG */
  async annotated(file, faces, signal) {
    return this.#requests.exchange(
      `${API}/predict?faces=${faces}&format=annotated`,
      await readable(file),
      signal,
    );
  }

  /** @returns {Promise<{videos: VideoJob[]}>} */
  videos(signal) {
    return this.#requests.get(`${API}/videos`, signal);
  }

  /**
   * @param {File} file
   * @param {{annotated: boolean, part?: Record<string, string>, onProgress: (sentBytes: number) => void, signal: AbortSignal}}
   *   options
   * @returns {Promise<VideoJob>}
   */
  uploadVideo(file, { annotated, part = {}, onProgress, signal }) {
    const query = new URLSearchParams({
      name: file.name,
      annotated: annotated ? "1" : "0",
      ...part,
    });
    return uploadFile(this.#newUpload(), {
      url: `${API}/videos?${query}`,
      body: file,
      onProgress,
      signal,
    });
  }

  /** @param {string} id @returns {Promise<Blob>} the table of a finished video */
  videoTable(id) {
    return this.#requests.file(videoFilePath(id, "table.csv"));
  }

  /** Cancels a video that waits or runs, and removes its files. */
  removeVideo(id) {
    return this.#requests.send("DELETE", pathOf(`${API}/videos`, id), {});
  }

  /**
   * @param {{faces: string, name: string}} how name: of the folder
   * @returns {Promise<{id: string}>}
   */
  createFolderTest({ faces, name }) {
    return this.#requests.send("POST", `${API}/folder-tests`, { faces, name });
  }

  /** @param {string} path <label>/<name> @returns {Promise<{images: number, outcome: string}>} */
  async sendFolderImage(id, path, file, signal) {
    const url = `${pathOf(`${API}/folder-tests`, id, "images")}?${new URLSearchParams({ path })}`;
    return this.#requests.sendBytes(url, await readable(file), signal);
  }

  folderReport(id) {
    return this.#requests.get(pathOf(`${API}/folder-tests`, id));
  }

  removeFolderTest(id) {
    return this.#requests.send("DELETE", pathOf(`${API}/folder-tests`, id), {});
  }
}

/** @param {string} id @param {string} part annotated or table.csv */
export const videoFilePath = (id, part) => pathOf(`${API}/videos`, id, part);

/** @param {string} id @param {string} part confusion.png, report.txt or mistakes.jpg */
export const folderFilePath = (id, part) => pathOf(`${API}/folder-tests`, id, part);

/** The file in memory: fetch would take one that was moved meanwhile for a server that is away. */
async function readable(file) {
  try {
    return new Blob([await file.arrayBuffer()]);
  } catch (error) {
    const message = t(
      "The file cannot be read any more: it was moved, changed or is too large. Add it again.",
    );
    throw new ApiError({ code: "unreadable", message, retryable: false }, error);
  }
}

/**
 * Videos: sent one after the other, then watched while the server works. Emits videos-changed
 * {videos} and video-ended {video}.
 *
 * @typedef {object} Video
 * @property {string} key stays the same while the state changes
 * @property {string} name
 * @property {"waiting" | "uploading" | "unsent" | "queued" | "running" | "finished" | "failed" |
 *   "cancelled"} state unsent: the upload failed and can be tried again
 * @property {number} sentBytes
 * @property {number} totalBytes
 * @property {import("./analysis_api.js").VideoJob | null} job once the server has it
 * @property {{message: string} | null} error
 * @property {{file: File, how: How} | null} again what can be sent again
 *
 * @typedef {{annotated: boolean, part?: Record<string, string>}} How annotated: whether a video
 *   with boxes is wanted; part: see video_part.js
 */
import { serverText } from "../shared/server_errors.js";
import { t } from "../shared/words.js";
import { refusalOf } from "./file_kinds.js";
import { TaskLimit } from "./task_limit.js";
import { joinTables } from "./video_tables.js";

const POLL_MS = 1000;
/** A server that did not answer is asked less often. */
const POLL_AGAIN_MS = 4000;
const UNDER_WAY = ["queued", "running"];
const PENDING = ["waiting", "uploading", ...UNDER_WAY];

export class VideoJobs {
  #deps;
  #videos = new Map();
  #uploads = new Map();
  #limit = new TaskLimit(1);
  #timer = null;
  #nextKey = 1;

  /**
   * @param {{api: import("./analysis_api.js").AnalysisApi, bus:
   *   import("../shared/event_bus.js").EventBus, maxBytes: number, timers: {set: (act: () => void,
   *   ms: number) => any}}} deps
   */
  constructor(deps) {
    this.#deps = deps;
  }

  /** Whether closing the page would lose something. */
  get isUploading() {
    return this.#uploads.size > 0;
  }

  /** Shows what this browser sent before, such as before the page was reloaded. */
  async load() {
    await this.#poll();
  }

  /**
   * @param {readonly File[]} files
   * @param {How} how
   */
  add(files, how) {
    for (const file of files) {
      const key = `upload-${this.#nextKey++}`;
      this.#videos.set(key, {
        key,
        name: file.name,
        state: "waiting",
        sentBytes: 0,
        totalBytes: file.size,
        job: null,
        error: null,
        again: null,
      });
      this.#upload(key, file, how);
    }
  }

  retry(key) {
    const { again } = this.#videos.get(key) ?? {};
    if (again) this.#upload(key, again.file, again.how);
  }

  /** Cancels what is under way, and removes what is over from the list. */
  async remove(key) {
    const video = this.#videos.get(key);
    this.#uploads.get(key)?.abort();
    if (
      video?.job &&
      !(await this.#try(t("{name} was not removed", { name: video.name }), () =>
        this.#deps.api.removeVideo(video.job.id),
      ))
    )
      return;
    this.#videos.delete(key);
    this.#tell();
  }

  /** Cancels all that wait or are under way. */
  async stop() {
    const pending = [...this.#videos.values()].filter(({ state }) => PENDING.includes(state));
    for (const { key } of pending) this.#uploads.get(key)?.abort();
    for (const { key } of pending) await this.remove(key);
  }

  /** @returns {Promise<Blob | null>} the rows of all finished videos; null: it was told why not */
  async table() {
    const finished = [...this.#videos.values()].filter(({ state }) => state === "finished");
    /** @type {Blob | null} */
    let table = null;
    await this.#try(t("Nothing was saved"), async () => {
      const tables = [];
      for (const { job } of finished) tables.push(await this.#deps.api.videoTable(job.id));
      table = await joinTables(tables);
    });
    return table;
  }

  async #upload(key, file, how) {
    const { maxBytes } = this.#deps;
    const refusal = refusalOf(file, maxBytes);
    if (refusal) {
      this.#change(key, { state: "unsent", error: refusal });
      return;
    }
    const abort = new AbortController();
    const { signal } = abort;
    this.#uploads.set(key, abort);
    this.#change(key, { state: "waiting", error: null, sentBytes: 0 });
    const send = () => this.#send(key, file, how, signal);
    try {
      this.#take(key, await this.#limit.run(send, signal));
      this.#schedule(POLL_MS);
    } catch (error) {
      if (!signal.aborted)
        this.#change(key, {
          state: "unsent",
          error,
          again: error.retryable ? { file, how } : null,
        });
    } finally {
      this.#uploads.delete(key);
    }
  }

  /** Sends a file as soon as the server takes another one: it holds only some of each owner. */
  async #send(key, file, how, signal) {
    const { api, timers } = this.#deps;
    const onProgress = (sentBytes) => this.#change(key, { sentBytes });
    while (true) {
      this.#change(key, { state: "uploading", sentBytes: 0 });
      try {
        return await api.uploadVideo(file, { ...how, onProgress, signal });
      } catch (error) {
        if (error.code !== "too_many_jobs") throw error;
      }
      this.#change(key, { state: "waiting", sentBytes: 0 });
      await new Promise((resolve) => timers.set(() => resolve(null), POLL_AGAIN_MS));
      signal.throwIfAborted();
    }
  }

  async #poll() {
    this.#timer = null;
    try {
      const { videos } = await this.#deps.api.videos();
      this.#takeAll(videos);
    } catch (error) {
      this.#deps.bus.emit("videos-unreachable", { message: serverText(error) });
      this.#schedule(POLL_AGAIN_MS);
      return;
    }
    if ([...this.#videos.values()].some(({ state }) => UNDER_WAY.includes(state)))
      this.#schedule(POLL_MS);
  }

  #takeAll(jobs) {
    const keyOf = new Map(
      [...this.#videos.values()].filter(({ job }) => job).map(({ key, job }) => [job.id, key]),
    );
    for (const [id, key] of keyOf) if (!jobs.some((job) => job.id === id)) this.#lose(key);
    // The oldest first: what is added later stands below.
    for (const job of [...jobs].reverse()) this.#take(keyOf.get(job.id) ?? `job-${job.id}`, job);
    this.#tell();
  }

  /** The server keeps videos for a day, and not past its own end. */
  #lose(key) {
    const { name, state } = this.#videos.get(key);
    this.#videos.delete(key);
    if (!UNDER_WAY.includes(state)) return;
    const text = t(
      "The server no longer has it: it was started again, or the video was removed elsewhere. Add it again.",
    );
    this.#deps.bus.emit("message", {
      id: `lost-${key}`,
      tone: "warning",
      title: t("{name} is gone", { name }),
      text,
    });
  }

  #take(key, job) {
    const before = this.#videos.get(key);
    const video = {
      sentBytes: 0,
      totalBytes: 0,
      again: null,
      ...before,
      key,
      name: job.name || before?.name || t("video"),
      state: job.state,
      job,
      error: job.error,
    };
    this.#videos.set(key, video);
    this.#tell();
    if (UNDER_WAY.includes(before?.state) && !UNDER_WAY.includes(job.state))
      this.#deps.bus.emit("video-ended", { video });
  }

  #schedule(ms) {
    if (this.#timer === null) this.#timer = this.#deps.timers.set(() => this.#poll(), ms);
  }

  #change(key, changes) {
    if (!this.#videos.has(key)) return;
    this.#videos.set(key, { ...this.#videos.get(key), ...changes });
    this.#tell();
  }

  #tell() {
    this.#deps.bus.emit("videos-changed", { videos: [...this.#videos.values()] });
  }

  async #try(title, act) {
    try {
      await act();
      return true;
    } catch (error) {
      if (error.code === "not_found") return true;
      this.#deps.bus.emit("message", {
        id: "video",
        tone: "error",
        title,
        text: serverText(error),
        lastsMs: 15_000,
      });
      return false;
    }
  }
}

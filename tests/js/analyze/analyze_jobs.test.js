import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { downloadZip } from "client-zip";

import { AnalysisApi } from "../../../static/js/analyze/analysis_api.js";
import { FolderEvaluation } from "../../../static/js/analyze/folder_evaluation.js";
import {
  describeApart,
  describeLeftOut,
  describeProgress,
  formatInterval,
} from "../../../static/js/analyze/folder_texts.js";
import { ResultDownloads } from "../../../static/js/analyze/result_downloads.js";
import { ImageQueue, countStates } from "../../../static/js/analyze/image_queue.js";
import { ImageSelection } from "../../../static/js/analyze/image_selection.js";
import { Pictures } from "../../../static/js/analyze/pictures.js";
import { TaskLimit } from "../../../static/js/analyze/task_limit.js";
import { VideoJobs } from "../../../static/js/analyze/video_jobs.js";
import { joinTables } from "../../../static/js/analyze/video_tables.js";
import { describeTotals, totalsOf } from "../../../static/js/analyze/video_progress.js";
import { readVideoPart, secondsOf } from "../../../static/js/analyze/video_part.js";
import { describeVideo, progressOf } from "../../../static/js/analyze/video_texts.js";
import { announceImages } from "../../../static/js/analyze/views/progress_announcer.js";
import { describeCounts } from "../../../static/js/analyze/views/image_tools.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";
import { ApiError } from "../../../static/js/shared/json_requests.js";
import { uploadFile } from "../../../static/js/shared/upload.js";

const EMOTIONS = ["happy", "sad"];
const FACE = {
  box: [0, 0, 1, 1],
  box_px: [0, 0, 9, 9],
  scores: { happy: 0.8, sad: 0.2 },
  label: "happy",
  confidence: 0.8,
  sure: true,
};
const wire = (count = 1) => ({
  width: 9,
  height: 9,
  framing: "detect",
  reason: "",
  faces: Array(count).fill(FACE),
  model: {},
});
const fileOf = (name, size = 10) => ({ name, size });
const failure = (code, retryable = false) =>
  new ApiError({ code, message: `It is ${code}.`, retryable });
const settle = () => new Promise((resolve) => setTimeout(resolve));

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

function buildQueue(predict, { maxBytes = 100, hasHeatmaps = true } = {}) {
  const bus = new EventBus();
  const waited = [];
  const queue = new ImageQueue({
    api: { predict, annotated: async (file, faces) => new Blob([`${file.name} ${faces}`]) },
    bus,
    emotions: EMOTIONS,
    hasHeatmaps,
    maxBytes,
    wait: async (ms) => void waited.push(ms),
  });
  const states = () => queue.items.map(({ state }) => state);
  return { bus, queue, states, waited };
}

test("two pictures at a time are sent, in the order they came", async () => {
  const asked = [];
  const { queue, states } = buildQueue((file) => {
    asked.push({ name: file.name, ...deferred() });
    return asked.at(-1).promise;
  });
  queue.add(["a", "b", "c", "d"].map((name) => fileOf(name)));
  await settle();
  assert.deepEqual(
    asked.map(({ name }) => name),
    ["a", "b"],
  );
  assert.deepEqual(states(), ["analysing", "analysing", "waiting", "waiting"]);
  asked[1].resolve(wire());
  await settle();
  assert.deepEqual(
    asked.map(({ name }) => name),
    ["a", "b", "c"],
  );
  assert.deepEqual(states(), ["analysing", "done", "analysing", "waiting"]);
});

test("an error stands at its file, the others go on, and it can be tried again", async () => {
  let isBroken = true;
  const { queue, states } = buildQueue(async ({ name }) => {
    if (name === "bad" && isBroken) throw failure("bad_image");
    return wire();
  });
  queue.add([fileOf("bad"), fileOf("good")]);
  await settle();
  assert.deepEqual(states(), ["failed", "done"]);
  assert.equal(queue.items[0].error.message, "It is bad_image.");
  isBroken = false;
  queue.retryFailed();
  await settle();
  assert.deepEqual(states(), ["done", "done"]);
  assert.equal(queue.items[0].error, null);
});

test("a busy server is asked again by itself, an error that stays is not", async () => {
  const answers = [failure("overloaded", true), failure("overloaded", true), wire()];
  const { queue, states, waited } = buildQueue(async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  queue.add([fileOf("a")]);
  await settle();
  await settle();
  assert.deepEqual(states(), ["done"]);
  assert.equal(waited.length, 2);
});

test("a file that is too large is never sent", async () => {
  let asked = 0;
  const { queue, states } = buildQueue(async () => (asked++, wire()), { maxBytes: 5 });
  queue.add([fileOf("large", 6), fileOf("empty", 0)]);
  await settle();
  assert.deepEqual([states(), asked], [["failed", "failed"], 0]);
});

test("an answer that has not the agreed form is an error of its file", async () => {
  const { queue } = buildQueue(async () => ({ faces: 3 }));
  queue.add([fileOf("a")]);
  await settle();
  assert.match(queue.items[0].error.message, /no picture size/);
});

test("removed and cleared pictures are no longer asked for, and late answers change nothing", async () => {
  const asked = [];
  const { queue, states } = buildQueue((file, _how, signal) => {
    asked.push({ signal, ...deferred() });
    return asked.at(-1).promise;
  });
  queue.add([fileOf("a"), fileOf("b"), fileOf("c")]);
  await settle();
  queue.remove(queue.items[0].id);
  queue.remove(queue.items[1].id);
  assert.equal(asked[0].signal.aborted, true);
  asked[0].resolve(wire());
  await settle();
  assert.deepEqual(states(), ["analysing"]);
  queue.clear();
  asked[1].resolve(wire());
  await settle();
  assert.deepEqual(queue.items, []);
});

test("another way of finding faces analyses all again", async () => {
  const asked = [];
  const { queue, states } = buildQueue(async (file, { faces }) => (asked.push(faces), wire()));
  queue.add([fileOf("a"), fileOf("b")]);
  await settle();
  queue.setFaces("whole");
  queue.setFaces("whole");
  await settle();
  assert.deepEqual(
    [asked, states()],
    [
      ["auto", "auto", "whole", "whole"],
      ["done", "done"],
    ],
  );
});

test("the next picture takes the place of a removed one, and a face keeps its choice", async () => {
  const { bus, queue } = buildQueue(async () => wire(2));
  const seen = [];
  const selection = new ImageSelection(bus);
  bus.on("selection-changed", (each) => seen.push(each));
  queue.add(["a", "b", "c"].map((name) => fileOf(name)));
  await settle();
  assert.deepEqual([seen.at(-1).item.name, seen.at(-1).face.id], ["a", 1]);
  selection.move(1);
  selection.selectFace(2);
  selection.setHeat(true);
  assert.deepEqual(
    [seen.at(-1).item.name, seen.at(-1).face.id, seen.at(-1).hasHeat],
    ["b", 2, true],
  );
  queue.remove(queue.items[1].id);
  assert.deepEqual([seen.at(-1).item.name, seen.at(-1).face.id], ["c", 1]);
  selection.move(1);
  assert.equal(seen.at(-1).item.name, "c");
  queue.clear();
  assert.deepEqual([seen.at(-1).item, seen.at(-1).face], [null, null]);
});

/** What another program finds in a ZIP: name -> text. */
async function unzipped(blob) {
  const folder = mkdtempSync(join(tmpdir(), "zip-"));
  try {
    writeFileSync(join(folder, "a.zip"), Buffer.from(await blob.arrayBuffer()));
    const script =
      "import json, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n" +
      "print(json.dumps({name: z.read(name).decode() for name in z.namelist()}))";
    return JSON.parse(
      execFileSync("python3", ["-c", script, join(folder, "a.zip")], { encoding: "utf8" }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("all pictures with boxes are one ZIP, one picture is itself", async () => {
  const { bus, queue } = buildQueue(async ({ name }) =>
    name === "bad.jpg" ? Promise.reject(failure("bad_image")) : wire(),
  );
  const saved = [];
  const busy = [];
  bus.on("download-busy", ({ isBusy }) => busy.push(isBusy));
  const files = new ResultDownloads({
    queue,
    bus,
    emotions: EMOTIONS,
    save: (blob, name) => saved.push({ blob, name }),
    zip: downloadZip,
  });
  queue.add([fileOf("a.png"), fileOf("bad.jpg"), fileOf("a.jpg")]);
  await settle();
  await files.download("annotated", null);
  await files.download("annotated", [queue.items[2].id]);
  await files.download("csv", null);
  await files.download("json", [queue.items[0].id]);
  assert.deepEqual(
    saved.map(({ name }) => name),
    ["expressions.zip", "a-faces.jpg", "expressions.csv", "a.json"],
  );
  assert.equal(saved[0].blob.type, "application/zip");
  assert.deepEqual(await unzipped(saved[0].blob), {
    "a-faces.jpg": "a.png auto",
    "a-faces-2.jpg": "a.jpg auto",
  });
  assert.equal(await saved[1].blob.text(), "a.jpg auto");
  assert.deepEqual(busy, [true, false, true, false]);
});

test("pictures that the browser cannot show come from the server, once it has read them", async () => {
  const canvas = (size) => ({ ...size, getContext: () => ({ drawImage() {} }) });
  const decoded = [];
  const decode = async (blob) => {
    decoded.push(blob.name ?? "drawn");
    if (blob.name === "a.tiff") throw new Error("unknown format");
    return { width: 400, height: 100, close() {} };
  };
  const asked = [];
  const pictures = new Pictures({
    decode,
    makeCanvas: canvas,
    annotated: async ({ name }) => (asked.push(name), new Blob(["jpeg"])),
  });
  const item = (name, result = null) => ({ id: name, name, result, file: { name } });
  assert.equal((await pictures.load(item("a.jpg"), 200)).canvas.width, 200);
  await pictures.load(item("a.jpg", {}), 200);
  assert.deepEqual(decoded, ["a.jpg"]);
  assert.equal(await pictures.load(item("a.tiff"), 200), null);
  const done = item("a.tiff", { faces: 1 });
  const drawn = await pictures.load(done, 200);
  assert.deepEqual([drawn.isAnnotated, drawn.canvas.height], [true, 50]);
  await pictures.load(done, 200);
  assert.equal(asked.length, 1);
  await pictures.load(item("a.tiff", { faces: 2 }), 200);
  assert.equal(asked.length, 2);
});

test("a task whose time never came is not begun", async () => {
  const limit = new TaskLimit(1);
  const first = deferred();
  const abort = new AbortController();
  let begun = 0;
  const running = limit.run(() => first.promise);
  const waiting = limit.run(async () => (begun += 1), abort.signal);
  abort.abort();
  first.resolve("done");
  assert.equal(await running, "done");
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(begun, 0);
});

test("pictures are asked for with heat maps where the model has them", async () => {
  const urls = [];
  const api = new AnalysisApi({
    fetch: async (url) => (urls.push(url), Response.json(wire())),
    newUpload: null,
  });
  for (const hasHeatmaps of [true, false]) {
    const { queue } = buildQueue((...given) => api.predict(...given), { hasHeatmaps });
    queue.add([new File(["x"], "a.jpg")]);
    await settle();
    await settle();
  }
  assert.deepEqual(
    urls.map((url) => url.split("?")[1]),
    ["faces=auto&heatmap=1", "faces=auto&heatmap=0"],
  );
});

test("a file that is gone is told from a server that is away", async () => {
  const gone = { arrayBuffer: async () => Promise.reject(new DOMException("x", "NotFoundError")) };
  const api = new AnalysisApi({
    fetch: async () => Promise.reject(new TypeError("Failed to fetch")),
    newUpload: null,
  });
  await assert.rejects(api.predict(gone, { faces: "auto" }), {
    code: "unreadable",
    retryable: false,
  });
  await assert.rejects(api.predict(new File(["x"], "a"), { faces: "auto" }), {
    code: "unreachable",
    retryable: true,
  });
});

class FakeUpload {
  upload = {};
  headers = {};
  open(method, url) {
    Object.assign(this, { method, url });
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  send(body) {
    this.body = body;
  }
  abort() {
    this.onabort();
  }
  answer(status, body) {
    Object.assign(this, {
      status,
      responseText: typeof body === "string" ? body : JSON.stringify(body),
    });
    this.onload();
  }
}

test("an upload tells how far it is, and its end in either way", async () => {
  const sent = [];
  const begin = (abort = new AbortController()) => {
    const request = new FakeUpload();
    return {
      request,
      abort,
      result: uploadFile(request, {
        url: "/v",
        body: "bytes",
        onProgress: (bytes) => sent.push(bytes),
        signal: abort.signal,
      }),
    };
  };
  const good = begin();
  good.request.upload.onprogress({ loaded: 7 });
  good.request.answer(202, { id: "x" });
  assert.deepEqual(
    [await good.result, sent, good.request.headers["Content-Type"]],
    [{ id: "x" }, [7], "application/octet-stream"],
  );
  const refused = begin();
  refused.request.answer(413, {
    error: { code: "too_large", message: "Too large.", retryable: false },
  });
  await assert.rejects(refused.result, { message: "Too large.", code: "too_large" });
  const odd = begin();
  odd.request.answer(502, "<html>");
  await assert.rejects(odd.result, /status 502/);
  const lost = begin();
  lost.request.onerror();
  await assert.rejects(lost.result, { code: "unreachable", retryable: true });
  const cancelled = begin();
  cancelled.abort.abort();
  await assert.rejects(cancelled.result, { name: "AbortError" });
});

const job = (id, state, changes = {}) => ({
  id,
  name: `${id}.mp4`,
  state,
  position: null,
  frames: 0,
  frames_total: 100,
  progress: 0,
  eta_s: null,
  faces: 0,
  fps: 0,
  session: null,
  error: null,
  remarks: [],
  annotated: false,
  ...changes,
});

function buildVideos(api) {
  const bus = new EventBus();
  const timers = [];
  const [shown, ended, messages] = [[], [], []];
  bus.on("videos-changed", ({ videos }) =>
    shown.push(videos.map(({ name, state }) => `${name} ${state}`)),
  );
  bus.on("video-ended", ({ video }) => ended.push(`${video.name} ${video.state}`));
  bus.on("message", (message) => messages.push(message));
  const videos = new VideoJobs({
    api,
    bus,
    maxBytes: 1000,
    timers: { set: (act) => timers.push(act) },
  });
  const tick = async () => (timers.shift()?.(), settle());
  return { videos, shown, ended, messages, timers, tick, bus };
}

test("what was sent before a reload is shown and watched until it is over", async () => {
  const answers = [
    [job("b", "queued", { position: 1 }), job("a", "running")],
    [job("b", "running"), job("a", "finished")],
    [job("b", "failed"), job("a", "finished")],
  ];
  const { videos, shown, ended, timers, tick } = buildVideos({
    videos: async () => ({ videos: answers.shift() }),
  });
  await videos.load();
  assert.deepEqual(shown.at(-1), ["a.mp4 running", "b.mp4 queued"]);
  await tick();
  await tick();
  assert.deepEqual(shown.at(-1), ["a.mp4 finished", "b.mp4 failed"]);
  assert.deepEqual(ended, ["a.mp4 finished", "b.mp4 failed"]);
  assert.equal(timers.length, 0);
});

test("a video that the server has no slot for yet waits and is sent again", async () => {
  const answers = [failure("too_many_jobs", true), null];
  const known = [];
  const { videos, shown, timers, tick } = buildVideos({
    videos: async () => ({ videos: known }),
    uploadVideo: async () => {
      const error = answers.shift();
      if (error) throw error;
      known.push(job("a", "queued"));
      return known[0];
    },
  });
  videos.add([fileOf("a.mp4")], { annotated: false });
  await settle();
  assert.deepEqual([shown.at(-1), timers.length], [["a.mp4 waiting"], 1]);
  assert.ok(videos.isUploading);
  await tick();
  assert.deepEqual(shown.at(-1), ["a.mp4 queued"]);
});

test("stopping all cancels what waits, is sent or runs, and keeps what is done", async () => {
  const removed = [];
  const known = [job("c", "running"), job("b", "finished")];
  const { videos, shown } = buildVideos({
    videos: async () => ({ videos: known }),
    uploadVideo: () => deferred().promise,
    removeVideo: async (id) => void removed.push(id),
  });
  await videos.load();
  videos.add([fileOf("d.mp4"), fileOf("e.mp4")], { annotated: false });
  await settle();
  await videos.stop();
  assert.deepEqual(shown.at(-1), ["b.mp4 finished"]);
  assert.deepEqual(removed, ["c"]);
});

test("one table holds the rows of all finished videos below one header", async () => {
  const { videos, messages } = buildVideos({
    videos: async () => ({
      videos: [job("c", "running"), job("b", "finished"), job("a", "finished")],
    }),
    videoTable: async (id) => new Blob([`session,at_s\r\n${id}.mp4,0\r\n${id}.mp4,1\r\n`]),
  });
  await videos.load();
  const text = await (await videos.table()).text();
  assert.equal(text, "session,at_s\r\na.mp4,0\r\na.mp4,1\r\nb.mp4,0\r\nb.mp4,1\r\n");
  assert.deepEqual(messages, []);
  assert.equal(await (await joinTables([new Blob(["a\n"]), new Blob(["a\n"])])).text(), "a\n");
});

test("a table that cannot be had is told", async () => {
  const { videos, messages } = buildVideos({
    videos: async () => ({ videos: [job("b", "finished"), job("a", "finished")] }),
    videoTable: async () => Promise.reject(failure("not_ready")),
  });
  await videos.load();
  assert.equal(await videos.table(), null);
  assert.equal(messages.length, 1);
});

test("a part of a video is read from times as people write them", () => {
  assert.deepEqual(["90", "1:30", "1:02:03,5", "x", "1:2:3:4"].map(secondsOf), [
    90,
    90,
    3723.5,
    null,
    null,
  ]);
  const read = (start, end, every) => readVideoPart({ start, end, every });
  assert.deepEqual(read("", "", "").part, {});
  assert.deepEqual(read(" 1:30", "2:00 ", "5").part, { start: "90", end: "120", every: "5" });
  const fields = [read("a", "", ""), read("", "0", ""), read("5", "4", ""), read("", "", "0.5")];
  assert.deepEqual(
    fields.map(({ field }) => field),
    ["start", "end", "end", "every"],
  );
  assert.ok(fields.every(({ problem }) => problem.length > 0));
});

test("the totals count all videos, and say how fast and how long still", () => {
  const one = (state, changes = {}, totalBytes = 100) => ({
    state,
    totalBytes,
    sentBytes: 0,
    job: { fps: 40, eta_s: 2, progress: 0.5, ...changes },
  });
  const all = [one("finished"), one("failed"), one("running"), one("queued")];
  const totals = totalsOf(all);
  assert.deepEqual(
    [totals.count, totals.finished, totals.failed, totals.pending, totals.progress],
    [4, 1, 1, 2, 0.625],
  );
  assert.equal(totals.leftS, 2 + 4);
  assert.equal(describeTotals(totals), "1 of 4 videos · 1 not · 40 a second · 0:06 left");
  assert.equal(totalsOf([one("running"), one("queued", {}, 0)]).leftS, null);
  assert.equal(totalsOf([one("running", { eta_s: null })]).leftS, null);
  assert.equal(describeTotals(totalsOf([one("finished"), one("finished")])), "2 of 2 videos");
});

test("videos are sent one after the other, and become jobs in their place", async () => {
  const uploads = [];
  const known = [];
  const api = {
    videos: async () => ({ videos: [...known].reverse() }),
    uploadVideo: (file, options) => (
      uploads.push({ file, ...options, ...deferred() }),
      uploads.at(-1).promise
    ),
  };
  const { videos, shown, tick } = buildVideos(api);
  videos.add([fileOf("a.mp4"), fileOf("b.mp4")], { annotated: true });
  await settle();
  assert.deepEqual([uploads.length, uploads[0].annotated, videos.isUploading], [1, true, true]);
  uploads[0].onProgress(5);
  known.push(job("a", "queued"));
  uploads[0].resolve(job("a", "queued"));
  await settle();
  assert.deepEqual(shown.at(-1), ["a.mp4 queued", "b.mp4 uploading"]);
  await tick();
  assert.deepEqual(shown.at(-1), ["a.mp4 queued", "b.mp4 uploading"]);
});

test("a lost upload can be tried again, a refused one cannot", async () => {
  const answers = [failure("unreachable", true), job("a", "queued"), failure("not_a_video")];
  const api = {
    videos: async () => ({ videos: [] }),
    uploadVideo: async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const { videos, bus } = buildVideos(api);
  let last = [];
  bus.on("videos-changed", ({ videos: all }) => (last = all));
  videos.add([fileOf("a.mp4")], { annotated: false });
  await settle();
  assert.deepEqual(
    [last[0].state, last[0].error.message, Boolean(last[0].again)],
    ["unsent", "It is unreachable.", true],
  );
  videos.retry(last[0].key);
  await settle();
  assert.deepEqual([last[0].state, last[0].error], ["queued", null]);
  videos.add([fileOf("b.txt"), fileOf("huge.mp4", 2000)], { annotated: false });
  await settle();
  assert.deepEqual(
    last.slice(1).map(({ state, again }) => [state, Boolean(again)]),
    [
      ["unsent", false],
      ["unsent", false],
    ],
  );
});

test("a cancelled upload goes at once, a job when the server has removed it", async () => {
  const removed = [];
  let isRefused = true;
  const api = {
    videos: async () => ({ videos: [job("a", "running")] }),
    uploadVideo: (_file, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new DOMException("x", "AbortError"))),
      ),
    removeVideo: async (id) => {
      if (isRefused) throw failure("database_locked", true);
      removed.push(id);
    },
  };
  const { videos, shown, messages } = buildVideos(api);
  await videos.load();
  videos.add([fileOf("b.mp4")], { annotated: true });
  await settle();
  await videos.remove("upload-1");
  await settle();
  assert.deepEqual([shown.at(-1), videos.isUploading], [["a.mp4 running"], false]);
  await videos.remove("job-a");
  assert.deepEqual([messages[0].text, shown.at(-1)], ["It is database_locked.", ["a.mp4 running"]]);
  isRefused = false;
  await videos.remove("job-a");
  assert.deepEqual([removed, shown.at(-1)], [["a"], []]);
});

test("a video that the server has lost is told, one that is over goes quietly", async () => {
  const answers = [[job("b", "running"), job("a", "finished")], []];
  const { videos, shown, messages, tick } = buildVideos({
    videos: async () => ({ videos: answers.shift() }),
  });
  await videos.load();
  await tick();
  assert.deepEqual([shown.at(-1), messages.map(({ title }) => title)], [[], ["b.mp4 is gone"]]);
});

test("a server that is away is asked again, and says so meanwhile", async () => {
  let isAway = true;
  const { videos, shown, tick, bus } = buildVideos({
    videos: async () =>
      isAway ? Promise.reject(failure("unreachable", true)) : { videos: [job("a", "finished")] },
  });
  const troubles = [];
  bus.on("videos-unreachable", ({ message }) => troubles.push(message));
  await videos.load();
  isAway = false;
  await tick();
  assert.deepEqual([troubles, shown.at(-1)], [["It is unreachable."], ["a.mp4 finished"]]);
});

test("a video says in words how far it is", () => {
  const video = (state, changes, sizes = {}) => ({
    state,
    sentBytes: 0,
    totalBytes: 0,
    job: job("a", state, changes),
    ...sizes,
  });
  assert.equal(
    describeVideo(video("uploading", {}, { sentBytes: 1_500_000, totalBytes: 3_000_000 })),
    "Sending: 1.5 MB of 3.0 MB",
  );
  assert.equal(describeVideo(video("queued", { position: 3 })), "In the queue, place 3");
  assert.equal(describeVideo(video("queued", { position: 1 })), "Next in the queue");
  assert.equal(
    describeVideo(video("running", { frames: 1200, frames_total: 9000, fps: 61.6, eta_s: 126.2 })),
    "1,200 of 9,000 frames · 62 a second · 2:07 left",
  );
  assert.equal(describeVideo(video("running", { frames: 7, frames_total: null })), "7 frames");
  assert.equal(describeVideo(video("finished", { frames: 30, faces: 1 })), "30 frames · 1 face");
  assert.deepEqual(
    [
      progressOf(video("running", { progress: null })),
      progressOf(video("running", { progress: 0.4 })),
    ],
    [null, 0.4],
  );
});

const FOLDER = {
  name: "set",
  images: ["a", "b", "c"].map((name) => ({
    path: `happy/${name}.jpg`,
    file: fileOf(name),
    expression: "happy",
  })),
  problem: "",
};

function buildFolder(changes = {}) {
  const bus = new EventBus();
  const removed = [];
  const states = [];
  bus.on("folder-changed", (state) => states.push(state));
  let ms = 0;
  const api = {
    createFolderTest: async () => ({ id: "t" }),
    sendFolderImage: async () => ({ outcome: "right" }),
    folderReport: async () => ({ accuracy: 1 }),
    removeFolderTest: async (id) => void removed.push(id),
    ...changes,
  };
  const folder = new FolderEvaluation({ api, bus, wait: async () => {}, now: () => (ms += 1000) });
  return { folder, states, removed, last: () => states.at(-1) };
}

test("every image of a folder is sent with its label, and the report comes", async () => {
  const paths = [];
  const outcomes = ["right", "wrong", "no_face"];
  const { folder, last } = buildFolder({
    sendFolderImage: async (_id, path) => (
      paths.push(path),
      { outcome: outcomes[paths.length - 1] }
    ),
  });
  folder.choose(FOLDER);
  assert.equal(last().status, "ready");
  await folder.start("whole");
  assert.deepEqual(paths, ["happy/a.jpg", "happy/b.jpg", "happy/c.jpg"]);
  assert.deepEqual(
    [last().status, last().sent, last().right, last().scored, last().isPartial],
    ["finished", 3, 1, 2, false],
  );
  assert.equal(last().report.accuracy, 1);
});

test("a stopped test reports on what was sent", async () => {
  const asked = [];
  const { folder, last } = buildFolder({
    sendFolderImage: (_id, path, _file, signal) => {
      asked.push(path);
      if (asked.length === 1) return Promise.resolve({ outcome: "right" });
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new DOMException("x", "AbortError"))),
      );
    },
  });
  folder.choose(FOLDER);
  const running = folder.start("auto");
  await settle();
  folder.stop();
  assert.equal(last().status, "stopping");
  await running;
  assert.deepEqual([last().status, last().sent, last().isPartial], ["finished", 1, true]);
});

test("an image that the server cannot take is counted apart, a test that is gone ends", async () => {
  const outcomes = [failure("too_large"), { outcome: "right" }, { outcome: "right" }];
  const answer = (each) => (each instanceof Error ? Promise.reject(each) : Promise.resolve(each));
  const one = buildFolder({ sendFolderImage: () => answer(outcomes.shift()) });
  one.folder.choose(FOLDER);
  await one.folder.start("auto");
  assert.deepEqual(
    [one.last().status, one.last().unsent, one.last().sent],
    ["finished", [{ path: "happy/a.jpg", message: "It is too_large." }], 3],
  );
  const two = buildFolder({ sendFolderImage: () => Promise.reject(failure("not_found")) });
  two.folder.choose(FOLDER);
  await two.folder.start("auto");
  assert.deepEqual([two.last().status, two.last().problem], ["failed", "It is not_found."]);
});

test("a closed test is removed from the server, also when it had not begun there yet", async () => {
  const created = deferred();
  const one = buildFolder({ createFolderTest: () => created.promise });
  one.folder.choose(FOLDER);
  const running = one.folder.start("auto");
  one.folder.close();
  created.resolve({ id: "late" });
  await running;
  assert.deepEqual([one.removed, one.last().status], [["late"], "none"]);
  const two = buildFolder();
  two.folder.choose(FOLDER);
  await two.folder.start("auto");
  two.folder.close();
  assert.deepEqual([two.removed, two.last().status], [["t"], "none"]);
});

test("a folder test says in words how far it is and what it leaves out", () => {
  const running = { status: "running", sent: 10, total: 3589, right: 7, scored: 10, etaS: 61 };
  assert.equal(describeProgress(running), "10 of 3,589 pictures · 70.0 % right so far · 1:01 left");
  assert.match(describeProgress({ ...running, status: "stopping" }), /Stopping/);
  assert.equal(
    describeLeftOut({ images: [1], unlabelled: [{ name: "misc", count: 3 }], skipped: 1 }),
    "Left out: 3 pictures in folders that name no expression (misc); 1 file that is no picture by name.",
  );
  assert.equal(describeLeftOut({ images: [1], unlabelled: [], skipped: 0 }), "");
  assert.equal(formatInterval([0.701, 0.7234]), "95 % interval 70.1 to 72.3 %");
  const report = {
    no_face: { count: 4 },
    several_faces: 2,
    contempt: { count: 5 },
    unreadable: [{}],
  };
  assert.deepEqual(describeApart(report, 0), [
    "4 pictures without a face",
    "2 with several faces: the largest counts",
    "5 of contempt, which is none of the seven",
    "1 could not be read",
  ]);
});

test("counts and announcements say what became of pictures", async () => {
  const { queue } = buildQueue(async ({ name }) =>
    name === "bad" ? Promise.reject(failure("bad_image")) : wire(name === "empty" ? 0 : 1),
  );
  queue.add([fileOf("a")]);
  assert.equal(describeCounts(countStates(queue.items)), "0 of 1 analysed");
  await settle();
  assert.equal(announceImages(queue.items), "a: Expression: happy");
  queue.add([fileOf("bad")]);
  await settle();
  assert.equal(announceImages(queue.items), "1 picture analysed, 1 not");
  assert.equal(describeCounts(countStates(queue.items)), "2 pictures, 1 not analysed");
  queue.clear();
  queue.add([fileOf("empty")]);
  await settle();
  assert.equal(announceImages(queue.items), "empty: no face found");
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  annotatedName,
  csvOf,
  jsonOf,
  uniqueNames,
} from "../../../static/js/analyze/result_formats.js";
import { parseAnalyzeOptions } from "../../../static/js/analyze/analyze_options.js";
import { readDropped } from "../../../static/js/shared/dropped_files.js";
import { kindOf, readLabelledFolder, refusalOf } from "../../../static/js/analyze/file_kinds.js";
import {
  framingReason,
  headsDifference,
  remarkText,
} from "../../../static/js/analyze/server_words.js";
import { readStillAnalysis, summariseFaces } from "../../../static/js/analyze/still_analysis.js";

const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
const SCORES = {
  angry: 0.01,
  disgust: 0,
  fear: 0,
  happy: 0.9,
  sad: 0.02,
  surprise: 0.03,
  neutral: 0.04,
};
const FOLDERS = {
  angry: ["angry", "anger"],
  happy: ["happy", "happiness", "joy"],
  contempt: ["contempt"],
};

/** The endings of names that the server knows as videos. */
const suffixes = () => {
  const file = new URL("../../../fer_web/analysis/videos/video_kinds.py", import.meta.url);
  const { 1: list } = /VIDEO_SUFFIXES: Final = \(([^)]+)\)/.exec(readFileSync(file, "utf8"));
  return [...list.matchAll(/"(\.\w+)"/g)];
};
const wireFace = (changes = {}) => ({
  box: [0.1, 0.2, 0.3, 0.4],
  box_px: [64, 96, 192, 192],
  scores: SCORES,
  label: "happy",
  confidence: 0.9,
  sure: true,
  ...changes,
});
const wire = (faces, changes = {}) => ({
  file: null,
  width: 640,
  height: 480,
  framing: "detect",
  reason: "no face fills it",
  faces,
  model: { name: "m", hash: "h" },
  ...changes,
});
const done = (name, faces) => ({
  id: 1,
  name,
  state: "done",
  result: readStillAnalysis(wire(faces), EMOTIONS),
  error: null,
});
const failed = (name) => ({
  id: 2,
  name,
  state: "failed",
  result: null,
  error: { code: "bad_image", message: 'It is "cut" short, alas.', retryable: false },
});
const found = (...paths) => paths.map((path) => ({ path, file: { name: path.split("/").at(-1) } }));

test("files are told apart by type, else by name, and what is neither is asked about", () => {
  assert.equal(kindOf({ name: "a.bin", type: "image/heic" }), "image");
  assert.equal(kindOf({ name: "a.jpg", type: "video/mp4" }), "video");
  assert.equal(kindOf({ name: "Film.MKV", type: "" }), "video");
  for (const { 1: name } of suffixes()) {
    assert.equal(kindOf({ name: `00001${name}`, type: "" }), "video", name);
    assert.equal(kindOf({ name: `a${name}.txt`, type: "" }), "image", name);
  }
  assert.equal(kindOf({ name: "IMG_1.HEIC", type: "" }), "image");
  assert.equal(kindOf({ name: "notes.txt", type: "text/plain" }), "image");
});

test("empty and too large files are refused with what is allowed", () => {
  assert.equal(refusalOf({ size: 50_000_000 }, 50_000_000), null);
  assert.match(refusalOf({ size: 0 }, 10).message, /nothing in this file/);
  assert.match(
    refusalOf({ size: 80_000_000 }, 50_000_000).message,
    /has 80\.0 MB; 50\.0 MB are allowed/,
  );
});

test("the page's options name the folders in the model's order, and what is missing is told", () => {
  const raw = {
    emotions: ["happy", "angry"],
    max_frame_bytes: 1,
    max_in_flight: 1,
    max_fps: 1,
    ack_timeout_ms: 1,
    max_image_bytes: 5,
    max_video_bytes: 6,
    folder_names: { angry: ["anger"], contempt: [], happy: ["joy"] },
    model: { name: "m", heatmaps: null, no_heatmaps: "it is a drawing" },
  };
  const options = parseAnalyzeOptions(JSON.stringify(raw));
  assert.deepEqual(Object.keys(options.folderNames), ["happy", "angry", "contempt"]);
  assert.deepEqual([options.maxImageBytes, options.maxVideoBytes], [5, 6]);
  assert.deepEqual([options.hasHeatmaps, options.noHeatmaps], [false, "it is a drawing"]);
  assert.throws(
    () => parseAnalyzeOptions(JSON.stringify({ ...raw, max_video_bytes: 0 })),
    /max_video_bytes/,
  );
  assert.throws(
    () => parseAnalyzeOptions(JSON.stringify({ ...raw, folder_names: { angry: [] } })),
    /folder_names/,
  );
});

test("an answer becomes faces with numbers, and keeps what it was", () => {
  const answer = wire([wireFace(), wireFace({ label: "sad", sure: false, heatmap: { side: 6 } })], {
    framing: "whole",
  });
  const analysis = readStillAnalysis(answer, EMOTIONS);
  assert.deepEqual(
    analysis.faces.map(({ id, label, sure }) => [id, label, sure]),
    [
      [1, "happy", true],
      [2, "sad", false],
    ],
  );
  assert.deepEqual(
    analysis.faces.map(({ heatmap }) => heatmap),
    [null, { side: 6 }],
  );
  assert.equal(analysis.framing, "whole");
  assert.deepEqual(analysis.remarks, []);
  assert.deepEqual(readStillAnalysis({ ...answer, remarks: ["odd"] }, EMOTIONS).remarks, ["odd"]);
  assert.equal(analysis.wire, answer);
});

test("an answer that cannot be shown is refused in words", () => {
  assert.throws(
    () => readStillAnalysis({ width: 1, height: 1 }, EMOTIONS),
    /no picture size or no faces/,
  );
  assert.throws(
    () => readStillAnalysis(wire([wireFace({ label: "bored" })]), EMOTIONS),
    /Face 1 .* incomplete/,
  );
  assert.throws(
    () => readStillAnalysis(wire([wireFace(), wireFace({ scores: { happy: 1 } })]), EMOTIONS),
    /Face 2/,
  );
});

test("a few words say what is in a picture", () => {
  const words = (...faces) => summariseFaces(readStillAnalysis(wire(faces), EMOTIONS).faces);
  assert.equal(words(), "No face found");
  assert.equal(words(wireFace()), "happy");
  assert.equal(words(wireFace({ sure: false })), "unsure");
  assert.equal(
    words(wireFace({ sure: false }), wireFace(), wireFace()),
    "3 faces: 2 happy, 1 unsure",
  );
});

test("the table has a row for each face, for pictures without one, and for errors", () => {
  const items = [
    done("a.jpg", [wireFace(), wireFace({ sure: false })]),
    done("none, at all.jpg", []),
    failed("=1+1.png"),
  ];
  const rows = csvOf(items, EMOTIONS).split("\r\n");
  assert.equal(
    rows[0],
    `file,width,height,face,left,top,face_width,face_height,${EMOTIONS.join(",")},label,confidence,sure,error,valence,arousal,intensity,second`,
  );
  assert.equal(
    rows[1],
    "a.jpg,640,480,1,64,96,192,192,0.01000,0.00000,0.00000,0.90000,0.02000,0.03000,0.04000,happy,0.90000,1,,0.72330,0.47960,0.96000,",
  );
  assert.match(rows[2], /^a\.jpg,640,480,2,.*,happy,0\.90000,0,,0\.72330,0\.47960,0\.96000,$/);
  assert.equal(rows[3], `"none, at all.jpg",640,480${",".repeat(20)}`);
  assert.equal(rows[4], `'=1+1.png${",".repeat(18)}"It is ""cut"" short, alas.",,,,`);
  assert.equal(rows[5], "");
});

test("numbers of the table are not taken for formulas", () => {
  const [, row] = csvOf([done("a.jpg", [wireFace({ box_px: [-4, 0, 9, 9] })])], EMOTIONS).split(
    "\r\n",
  );
  assert.match(row, /^a\.jpg,640,480,1,-4,0,9,9,/);
});

test("the list of results names files and keeps errors; what is not over is left out", () => {
  const waiting = { id: 3, name: "c.jpg", state: "waiting", result: null, error: null };
  const [first, second, ...rest] = JSON.parse(
    jsonOf([done("a.jpg", [wireFace()]), failed("b.jpg"), waiting]),
  );
  assert.equal(first.file, "a.jpg");
  assert.equal(first.faces[0].label, "happy");
  assert.deepEqual([second.file, second.error.code], ["b.jpg", "bad_image"]);
  assert.deepEqual(rest, []);
});

test("names of files are made one by one, and lead nowhere", () => {
  assert.deepEqual(uniqueNames(["a.jpg", "A.jpg", "a.jpg", "../b/c.jpg", "noending", "noending"]), [
    "a.jpg",
    "A-2.jpg",
    "a-3.jpg",
    ".._b_c.jpg",
    "noending",
    "noending-2",
  ]);
  assert.deepEqual(
    [annotatedName("holiday.2026.heic"), annotatedName(".jpg")],
    ["holiday.2026-faces.jpg", ".jpg-faces.jpg"],
  );
});

test("a labelled folder is found at any depth, by any of its names", () => {
  const folder = readLabelledFolder(
    found(
      "set/test/Happiness/a.jpg",
      "set/test/joy/deep/b.PNG",
      "set/test/anger/c.webp",
      "set/test/anger/notes.txt",
      "set/test/anger/.hidden.jpg",
      "set/test/anger/Thumbs.db",
    ),
    FOLDERS,
  );
  assert.equal(folder.problem, "");
  assert.deepEqual(
    folder.images.map(({ path, expression }) => [path, expression]),
    [
      ["Happiness/a.jpg", "happy"],
      ["joy/deep-b.PNG", "happy"],
      ["anger/c.webp", "angry"],
    ],
  );
  assert.deepEqual(folder.counts, [
    { expression: "angry", count: 1 },
    { expression: "happy", count: 2 },
  ]);
  assert.deepEqual([folder.name, folder.skipped], ["set", 1]);
});

test("pictures without a label are told, and can be looked at", () => {
  const folder = readLabelledFolder(
    found("set/happy/a.jpg", "set/misc/b.jpg", "set/c.jpg"),
    FOLDERS,
  );
  assert.deepEqual(folder.unlabelled, [
    { name: "set/misc", count: 1 },
    { name: "set", count: 1 },
  ]);
  assert.deepEqual(
    folder.plain.map(({ name }) => name),
    ["b.jpg", "c.jpg"],
  );
  assert.equal(folder.problem, "");
});

test("folders that cannot be tested say why and what to do", () => {
  const problem = (...paths) => readLabelledFolder(found(...paths), FOLDERS).problem;
  assert.match(
    problem("set/train/happy/a.jpg", "set/test/happy/a.jpg"),
    /several parts .*train, test.*Choose one/,
  );
  assert.match(problem("set/0/a.jpg", "set/1/b.jpg"), /numbered.*Rename/);
  assert.match(problem("holiday/a.jpg"), /No folder in it names an expression.*angry, happy/);
  assert.match(problem("happy/readme.txt"), /no picture/);
  assert.match(problem(), /no picture/);
});

test("what is dropped is read with its folders, however many entries they have", async () => {
  const file = (name) => ({ isDirectory: false, name, file: (resolve) => resolve({ name }) });
  const lost = {
    isDirectory: false,
    name: "lost.jpg",
    file: (_, reject) => reject(new Error("gone")),
  };
  const folder = (name, ...batches) => ({
    isDirectory: true,
    name,
    createReader: () => {
      const left = [...batches];
      return { readEntries: (resolve) => resolve(left.shift() ?? []) };
    },
  });
  const item = (entry) => ({
    kind: "file",
    webkitGetAsEntry: () => entry,
    getAsFile: () => ({ name: entry?.name ?? "plain.jpg" }),
  });
  const tree = folder(
    "set",
    [file("b10.jpg"), file("b9.jpg"), lost],
    [folder("happy", [file("a.jpg")])],
  );
  const { files, found: inFolders } = await readDropped({
    items: [item(tree), item(null), item(file("x.png")), { kind: "string" }],
  });
  assert.deepEqual(
    files.map(({ name }) => name),
    ["plain.jpg", "x.png"],
  );
  assert.deepEqual(
    inFolders.map(({ path }) => path),
    ["set/b9.jpg", "set/b10.jpg", "set/happy/a.jpg"],
  );
});

test("what the server says in phrases is said again, and what is not known stays", () => {
  for (const said of [
    "asked for",
    "48x48 pixels are no more than a face",
    "one face fills it (91 % of its longer side)",
    "something new",
  ])
    assert.equal(framingReason(said), said);
  assert.equal(headsDifference("something new"), "something new");
  for (const said of [
    "The JPEG has no end marker. All pixels are there, but something may have cut the file.",
    "64 of 70 faces shown, the surest.",
    "something new",
  ])
    assert.equal(remarkText(said), said);
  assert.match(headsDifference("accuracy is of the expression"), /only 63 %/);
});

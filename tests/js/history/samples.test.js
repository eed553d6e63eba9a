import assert from "node:assert/strict";
import { test } from "node:test";

import {
  buildTimeline,
  dominantParts,
  gapsOf,
  nearestRow,
  parseSamples,
  stack,
} from "../../../static/js/history/samples.js";

const LABELS = ["happy", "sad"];

/** @param {[number, number, number, number, number][]} rows at_s, face, happy, sad, sure */
function samplesOf(rows) {
  const column = (i) => rows.map((row) => row[i]);
  return parseSamples(
    {
      at_s: column(0),
      face: column(1),
      label: rows.map(([, , happy, sad]) => (happy >= sad ? 0 : 1)),
      sure: column(4),
      scores: { happy: column(2), sad: column(3) },
    },
    LABELS,
  );
}

const steady = (from, to, face = 1, happy = 1) =>
  Array.from({ length: Math.round((to - from) * 5) }, (_, i) => [
    from + i / 5,
    face,
    happy,
    1 - happy,
    1,
  ]);
const view = (changes = {}) => ({
  face: null,
  fromS: 0,
  toS: 10,
  points: 1000,
  sampleHz: 5,
  ...changes,
});

test("parseSamples refuses columns of different lengths", () => {
  const raw = {
    at_s: [0, 1],
    face: [1],
    label: [0, 0],
    sure: [1, 1],
    scores: { happy: [1, 1], sad: [0, 0] },
  };
  assert.throws(() => parseSamples(raw, LABELS), /different lengths/);
});

test("no samples make an empty timeline and one gap", () => {
  const timeline = buildTimeline(samplesOf([]), view());
  assert.deepEqual([timeline.atS, timeline.scores, timeline.dominant], [[], [[], []], []]);
  assert.deepEqual(gapsOf(timeline, 0, 10), [[0, 10]]);
});

test("samples that fit are drawn one by one, at their own times", () => {
  const timeline = buildTimeline(
    samplesOf([
      [0.05, 1, 0.9, 0.1, 1],
      [0.26, 1, 0.2, 0.8, 1],
    ]),
    view(),
  );
  assert.deepEqual(timeline.atS, [0.05, 0.26]);
  assert.deepEqual(
    timeline.scores[0].map((score) => score.toFixed(1)),
    ["0.9", "0.2"],
  );
  assert.deepEqual(timeline.dominant, ["happy", "sad"]);
});

test("jitter of the samples' times leaves no gap", () => {
  const rows = steady(0, 20).map(([at, ...rest], i) => [at + (i % 2 ? 0.12 : 0), ...rest]);
  const timeline = buildTimeline(samplesOf(rows), view({ toS: 20 }));
  assert.ok(!timeline.dominant.includes(null));
  assert.deepEqual(gapsOf(timeline, 0, 20), []);
});

test("a time without a face is a row of nulls between its neighbours", () => {
  const timeline = buildTimeline(samplesOf([...steady(0, 2), ...steady(6, 8)]), view());
  const row = timeline.dominant.indexOf(null);
  assert.ok(timeline.atS[row] > 1.8 && timeline.atS[row] < 6);
  assert.deepEqual(
    timeline.scores.map((column) => column[row]),
    [null, null],
  );
  const [gap, tail] = gapsOf(timeline, 0, 10);
  assert.deepEqual(
    gap.map((edge) => edge.toFixed(1)),
    ["1.8", "6.0"],
  );
  assert.deepEqual(
    tail.map((edge) => edge.toFixed(1)),
    ["7.8", "10.0"],
  );
});

test("a face that is missed for half a second leaves no gap", () => {
  const timeline = buildTimeline(samplesOf([...steady(0, 2), ...steady(2.5, 4)]), view({ toS: 4 }));
  assert.ok(!timeline.dominant.includes(null));
});

test("a long session is drawn in means, and no more points than asked for", () => {
  const rows = steady(0, 1000).map(([at, face], i) => [at, face, i % 2, 1 - (i % 2), 1]);
  const timeline = buildTimeline(samplesOf(rows), view({ toS: 1000, points: 100 }));
  assert.ok(timeline.atS.length <= 101);
  assert.equal(timeline.binS, 10);
  assert.ok(timeline.scores[0].every((score) => Math.abs(score - 0.5) < 1e-6));
});

test("one face is chosen from several", () => {
  const samples = samplesOf([
    [0, 1, 1, 0, 1],
    [0, 2, 0, 1, 1],
  ]);
  assert.deepEqual(buildTimeline(samples, view()).scores[0], [0.5]);
  assert.deepEqual(buildTimeline(samples, view({ face: 2 })).scores[0], [0]);
});

test("only the window is read", () => {
  const { atS } = buildTimeline(samplesOf(steady(0, 10)), view({ fromS: 4, toS: 5 }));
  assert.ok(atS.every((time) => time >= 4 && time <= 5));
  assert.ok(atS.length >= 5);
});

test("stack adds columns up to one, and keeps gaps", () => {
  assert.deepEqual(
    stack([
      [0.25, null],
      [0.25, null],
      [0.5, null],
    ]),
    [
      [0.25, null],
      [0.5, null],
      [1, null],
    ],
  );
  assert.deepEqual(stack([[0.2], [0.2]]), [[0.5], [1]]);
  assert.deepEqual(stack([]), []);
});

test("dominant parts count samples, unsure among them, and leave out nobody", () => {
  const rows = [
    [0.1, 1, 1, 0, 1],
    [0.3, 1, 1, 0, 1],
    [0.5, 1, 0, 1, 1],
    [2.1, 1, 1, 0, 0],
  ];
  const parts = dominantParts(samplesOf(rows), { face: null, fromS: 0, toS: 3, parts: 3 });
  assert.deepEqual(parts, ["happy", null, "unsure"]);
});

test("dominant parts of an empty window are nobody", () => {
  assert.deepEqual(dominantParts(samplesOf([]), { face: null, fromS: 0, toS: 0, parts: 2 }), [
    null,
    null,
  ]);
});

test("the last moment belongs to the last part", () => {
  assert.deepEqual(
    dominantParts(samplesOf([[2, 1, 1, 0, 1]]), { face: null, fromS: 0, toS: 2, parts: 2 }),
    [null, "happy"],
  );
});

test("nearestRow finds the closer neighbour", () => {
  const at = (wanted) => nearestRow({ atS: [0, 1, 4] }, wanted);
  assert.deepEqual([at(-5), at(0.4), at(0.6), at(2.4), at(2.6), at(99)], [0, 0, 1, 1, 2, 2]);
  assert.equal(nearestRow({ atS: [] }, 1), -1);
});

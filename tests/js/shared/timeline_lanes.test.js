import assert from "node:assert/strict";
import { test } from "node:test";

import { OTHERS, TimelineLanes } from "../../../static/js/shared/timeline_lanes.js";

const LABELS = ["happy", "neutral"];
const face = (key, label = "happy", sure = true) => ({ key, label, sure });

/** Lanes of results that come every `stepMs`; facesAt says who is there. */
function filmed(lengthMs, facesAt, stepMs = 100) {
  const lanes = new TimelineLanes(LABELS);
  for (let atMs = 0; atMs <= lengthMs; atMs += stepMs) lanes.add(facesAt(atMs), atMs);
  return lanes;
}

test("neutral, unsure and nobody are three things", () => {
  const lanes = filmed(3000, (atMs) => {
    if (atMs < 1000) return [face("a", "neutral")];
    return atMs < 2000 ? [face("a", "happy", false)] : [];
  });
  const [lane] = lanes.read();
  assert.deepEqual([lane.cells[1], lane.cells[5], lane.cells[11]], ["neutral", "unsure", null]);
  assert.deepEqual([lane.shares.neutral, lane.shares.unsure, lane.shares.happy], [0.5, 0.5, 0]);
  assert.deepEqual([lane.ms, lanes.presentMs, lanes.lengthMs], [2000, 2000, 3000]);
});

test("hours take as many bins as minutes, and lose no time", () => {
  const lengthMs = 3 * 3_600_000;
  const lanes = filmed(
    lengthMs,
    (atMs) => [face("a", atMs < lengthMs / 2 ? "happy" : "neutral")],
    500,
  );
  const [lane] = lanes.read();
  assert.ok(lane.cells.length > 300 && lane.cells.length <= 600);
  assert.equal(Math.round(lane.ms), lengthMs);
  assert.ok(Math.abs(lane.shares.happy - 0.5) < 0.001);
  assert.deepEqual([lane.cells[10], lane.cells.at(-10)], ["happy", "neutral"]);
});

test("many who come for a moment share one lane, and those who are there keep theirs", () => {
  const lanes = filmed(100_000, (atMs) => [
    face("stays"),
    face(`passer ${Math.floor(atMs / 1000)}`, "neutral"),
  ]);
  const read = lanes.read();
  assert.ok(read.length <= 25);
  assert.equal(read[0].key, "stays");
  assert.equal(read.at(-1).key, OTHERS);
  assert.equal(read.length - 1 + lanes.folded, 102);
  const total = read.reduce((sum, { ms }) => sum + ms, 0);
  assert.ok(Math.abs(total - 200_000) < 1);
});

test("a label holds until the next result, but not through a silence", () => {
  const lanes = new TimelineLanes(LABELS);
  lanes.add([face("a")], 0);
  lanes.add([face("a")], 800);
  lanes.add([], 60_000);
  assert.equal(lanes.read()[0].ms, 1800);
  assert.equal(lanes.read()[0].cells.filter((cell) => cell !== null).length, 8);
});

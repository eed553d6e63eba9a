import assert from "node:assert/strict";
import { test } from "node:test";

import {
  MAX_FACES,
  ProtocolError,
  parseAck,
  parseError,
} from "../../../static/js/shared/protocol.js";

const EXPECTED = { emotions: ["happy", "sad"], seq: 7 };
const face = (changes = {}) => ({
  id: 1,
  box: [0.1, 0.2, 0.3, 0.4],
  scores: { happy: 0.9, sad: 0.1 },
  label: "happy",
  confidence: 0.9,
  sure: true,
  rival: null,
  reason: null,
  ...changes,
});
const ack = (changes = {}) => ({
  seq: 7,
  faces: [face()],
  timings_ms: { total: 3.5 },
  dropped: null,
  ...changes,
});

test("parseAck accepts a result and keeps nothing that was not asked for", () => {
  const parsed = parseAck(ack({ faces: [face({ extra: 1 })] }), EXPECTED);
  assert.deepEqual(parsed, { kind: "result", seq: 7, faces: [face()], timingsMs: { total: 3.5 } });
});

const heatmap = (changes = {}) => ({
  side: 2,
  corners: [
    [-0.1, 0],
    [0.5, 0.1],
    [0.5, 1.2],
    [0, 1],
  ],
  values: { happy: [0, 1, 2, 255], sad: [0, 0, 0, 0] },
  method: "cam",
  ...changes,
});

test("parseAck keeps the heat map of a face that has one", () => {
  const parsed = parseAck(
    ack({ faces: [face({ heatmap: { ...heatmap(), more: 1 } }), face({ id: 2 })] }),
    EXPECTED,
  );
  assert.deepEqual(parsed.faces, [face({ heatmap: heatmap() }), face({ id: 2 })]);
});

for (const [name, raw] of [
  ["null", null],
  ["no side", heatmap({ side: undefined })],
  ["a side of zero", heatmap({ side: 0 })],
  ["a huge side", heatmap({ side: 1000 })],
  ["three corners", heatmap({ corners: heatmap().corners.slice(1) })],
  ["a corner that is not finite", heatmap({ corners: [[NaN, 0], ...heatmap().corners.slice(1)] })],
  ["a map that is missing", heatmap({ values: { happy: [0, 0, 0, 0] } })],
  ["a map that is too short", heatmap({ values: { ...heatmap().values, sad: [0] } })],
  ["a value above 255", heatmap({ values: { ...heatmap().values, sad: [0, 0, 0, 256] } })],
]) {
  test(`a heat map with ${name} is malformed`, () => {
    assert.throws(
      () => parseAck(ack({ faces: [face({ heatmap: raw })] }), EXPECTED),
      ProtocolError,
    );
  });
}

test("parseAck accepts a frame without faces", () => {
  assert.deepEqual(parseAck(ack({ faces: [] }), EXPECTED).faces, []);
});

test("parseAck tells a dropped frame from a result without faces", () => {
  const parsed = parseAck(ack({ faces: [], dropped: "newer_frame" }), EXPECTED);
  assert.equal(parsed.kind, "dropped");
  assert.equal(parsed.reason, "newer_frame");
});

test("parseAck reads a refusal, also one that names no frame", () => {
  const error = { code: "bad_frame", message: "Not a JPEG.", retryable: false };
  const refused = { kind: "refused", seq: 7, error, retryAfterMs: 0 };
  assert.deepEqual(parseAck({ seq: null, error }, EXPECTED), refused);
});

test("parseAck reads how long the server reads nothing more", () => {
  const error = { code: "server_full", message: "Full.", retryable: true };
  const read = (seconds) =>
    parseAck({ seq: null, error: { ...error, retry_after_s: seconds } }, EXPECTED);
  assert.equal(read(2.5).retryAfterMs, 2500);
  for (const wrong of ["2", -1, Infinity, [2]]) assert.throws(() => read(wrong), ProtocolError);
});

test("parseError takes anything but true as not retryable", () => {
  assert.equal(parseError({ code: "a", message: "b", retryable: "yes" }).retryable, false);
});

for (const [name, raw] of [
  ["nothing", undefined],
  ["a list", []],
  ["another frame's number", ack({ seq: 8 })],
  ["faces that are no list", ack({ faces: {} })],
  ["too many faces", ack({ faces: Array(MAX_FACES + 1).fill(face()) })],
  ["a face that is null", ack({ faces: [null] })],
  ["an id that is text", ack({ faces: [face({ id: "1" })] })],
  ["a box of three", ack({ faces: [face({ box: [0, 0, 1] })] })],
  ["a box without area", ack({ faces: [face({ box: [0, 0, 0, 1] })] })],
  ["a box in pixels", ack({ faces: [face({ box: [100, 100, 80, 80] })] })],
  ["a box that is not finite", ack({ faces: [face({ box: [0, 0, NaN, 1] })] })],
  ["a missing score", ack({ faces: [face({ scores: { happy: 1 } })] })],
  ["a score above one", ack({ faces: [face({ scores: { happy: 1.5, sad: 0 } })] })],
  ["an unknown label", ack({ faces: [face({ label: "bored" })] })],
  ["a confidence that is text", ack({ faces: [face({ confidence: "0.9" })] })],
  ["a sure that is a number", ack({ faces: [face({ sure: 1 })] })],
  ["a negative timing", ack({ timings_ms: { total: -1 } })],
  ["a dropped that is no text", ack({ dropped: 1 })],
  ["an error without code", { seq: 7, error: { message: "?" } }],
]) {
  test(`parseAck refuses ${name}`, () =>
    assert.throws(() => parseAck(raw, EXPECTED), ProtocolError));
}

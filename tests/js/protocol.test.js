import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_FACES, ProtocolError, parseAck, parseError } from "../../static/js/protocol.js";

const EXPECTED = { emotions: ["happy", "sad"], seq: 7 };
const face = (changes = {}) => ({
  id: 1,
  box: [0.1, 0.2, 0.3, 0.4],
  scores: { happy: 0.9, sad: 0.1 },
  label: "happy",
  confidence: 0.9,
  sure: true,
  ...changes,
});
const ack = (changes = {}) => ({ seq: 7, faces: [face()], timings_ms: { total: 3.5 }, dropped: null, ...changes });

test("parseAck accepts a result and keeps nothing that was not asked for", () => {
  const parsed = parseAck(ack({ faces: [face({ extra: 1 })] }), EXPECTED);
  assert.deepEqual(parsed, { kind: "result", seq: 7, faces: [face()], timingsMs: { total: 3.5 } });
});

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
  assert.deepEqual(parseAck({ seq: null, error }, EXPECTED), { kind: "refused", seq: 7, error });
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
  test(`parseAck refuses ${name}`, () => assert.throws(() => parseAck(raw, EXPECTED), ProtocolError));
}

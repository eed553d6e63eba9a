import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../../static/js/shared/format.js";

test("numbers and their absence", () => {
  assert.equal(format.formatPercent(0.923), "92%");
  assert.equal(format.formatPercent(1.0000004), ">99%");
  assert.equal(format.formatPercent(0.994), "99%");
  assert.equal(format.formatPercent(undefined), "–");
  assert.equal(format.formatMs(4.26), "4.3 ms");
  assert.equal(format.formatMs(34.4), "34 ms");
  assert.equal(format.formatMs(12_345), "12 s");
  assert.equal(format.formatMs(null), "–");
  assert.equal(format.formatRate(29.97), "30.0");
  assert.equal(format.formatRate(null), "–");
  assert.equal(format.formatBytes(512), "512 B");
  assert.equal(format.formatBytes(30_123), "30.1 kB");
  assert.equal(format.formatBytes(250_000), "250 kB");
  assert.equal(format.countFaces(1), "1 face");
  assert.equal(format.countFaces(0), "0 faces");
  assert.equal(format.countFaces(54_000), "54,000 faces");
});

test("describeFace says plainly when it is not sure", () => {
  assert.equal(format.describeFace({ label: "happy", confidence: 0.92, sure: true }), "Happy 92%");
  assert.equal(format.describeFace({ label: "sad", confidence: 0.31, sure: false }), "Unsure: sad");
});

test("an unsure face says what it may be, and why nobody can tell", () => {
  const face = { label: "sad", confidence: 0.31, sure: false, rival: "neutral", reason: "dark" };
  assert.equal(format.describeFace(face), "Unsure: sad or neutral, too dark");
  assert.equal(format.describeDoubt({ ...face, reason: null }), "sad or neutral");
  assert.equal(format.describeDoubt({ ...face, reason: "of a newer server" }), "sad or neutral");
  assert.equal(format.announceFaces([{ id: 1, ...face }]), "Expression: unsure, too dark");
});

test("announceFaces names each face's expression, without numbers", () => {
  const face = (id, label, sure = true) => ({ id, label, sure });
  assert.equal(format.announceFaces([]), "No face in view");
  assert.equal(format.announceFaces([face(1, "happy")]), "Expression: happy");
  assert.equal(
    format.announceFaces([face(1, "happy"), face(2, "sad", false)]),
    "2 faces: happy, unsure",
  );
});

test("snapshotName is the local time, in order of the alphabet", () => {
  assert.equal(
    format.snapshotName(new Date(2026, 4, 1, 9, 3, 5)),
    "expressions-2026-05-01-090305.png",
  );
});

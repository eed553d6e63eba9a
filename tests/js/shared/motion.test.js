import assert from "node:assert/strict";
import { test } from "node:test";

import { boxAt, observe } from "../../../static/js/shared/motion.js";

const box = (x) => [x, 0.4, 0.2, 0.2];
const SPEED = 0.0005; // half a frame's width in a second

/** Results every intervalMs, each known latencyMs after its frame, of a face at place(t). */
function follow(place, { untilMs, intervalMs = 40, latencyMs = 60 }) {
  let track;
  for (let ms = 0; ms + latencyMs <= untilMs; ms += intervalMs)
    track = observe(track, box(place(ms)), ms, ms + latencyMs);
  return track;
}

test("a new face is drawn where it was measured", () => {
  assert.deepEqual(boxAt(observe(undefined, box(0.3), 1000, 1050), 1050), box(0.3));
});

test("a face at rest stays put", () => {
  const track = follow(() => 0.3, { untilMs: 1000 });
  assert.deepEqual(boxAt(track, 1100), box(0.3));
});

test("the box of a steady mover lags far less than the latency", () => {
  const place = (ms) => 0.1 + SPEED * ms;
  const track = follow(place, { untilMs: 1000 });
  const lagMs = (place(1000) - boxAt(track, 1000)[0]) / SPEED;
  assert.ok(lagMs < 20, `lags ${lagMs} ms behind, the latency is 60 ms`);
  assert.ok(lagMs > -10, "and does not run ahead");
});

test("a face that is not heard of any more does not sail on", () => {
  const track = follow((ms) => 0.1 + SPEED * ms, { untilMs: 1000 });
  assert.equal(boxAt(track, 5000)[0].toFixed(6), boxAt(track, 4000)[0].toFixed(6));
  assert.ok(boxAt(track, 5000)[0] - track.box[0] <= SPEED * 150);
});

test("a correction is spread over frames: no jump when a result arrives", () => {
  const before = follow((ms) => 0.1 + SPEED * ms, { untilMs: 1000 });
  const after = observe(before, box(0.5), 960, 1010);
  assert.ok(Math.abs(boxAt(after, 1010)[0] - boxAt(before, 1010)[0]) < 1e-9);
  assert.ok(
    Math.abs(boxAt(after, 1250)[0] - boxAt(after, 9000)[0]) < 0.002,
    "a quarter of a second later it has settled",
  );
});

test("an older result changes nothing", () => {
  const track = observe(undefined, box(0.3), 1000, 1050);
  assert.equal(observe(track, box(0.1), 900, 1060), track);
});

test("a face seen again after a long gap starts anew", () => {
  const track = observe(observe(undefined, box(0.1), 0, 50), box(0.8), 2000, 2050);
  assert.deepEqual(boxAt(track, 2050), box(0.8));
});

test("tracks are replaced, not changed", () => {
  const track = Object.freeze(observe(undefined, box(0.3), 1000, 1050));
  Object.values(track).forEach((value) => Object.freeze(value));
  observe(track, box(0.4), 1040, 1090);
  boxAt(track, 1100);
});

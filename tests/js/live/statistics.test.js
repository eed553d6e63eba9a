import assert from "node:assert/strict";
import { test } from "node:test";

import { LiveStatistics, RollingWindow, percentile } from "../../../static/js/live/statistics.js";

test("percentile of nothing is null", () => assert.equal(percentile([], 0.5), null));

test("percentile is a value that occurred, and does not reorder its input", () => {
  const values = [30, 10, 20];
  assert.equal(percentile(values, 0.5), 20);
  assert.equal(percentile(values, 0.95), 30);
  assert.equal(percentile(values, 0), 10);
  assert.deepEqual(values, [30, 10, 20]);
});

test("percentile sorts as numbers", () => assert.equal(percentile([9, 100, 10], 0.5), 10));

test("RollingWindow forgets what is older than its span", () => {
  const window = new RollingWindow(1000);
  window.add("old", 0);
  window.add("new", 900);
  assert.deepEqual(window.values(1000), ["new"]);
  assert.deepEqual(window.values(2000), []);
});

test("RollingWindow's rate is right from the first seconds on", () => {
  const window = new RollingWindow(2000);
  assert.equal(window.rate(0), 0);
  for (let i = 0; i <= 10; i += 1) window.add(1, i * 40);
  assert.equal(Math.round(window.rate(400)), 25);
});

test("RollingWindow's rate falls when nothing comes any more", () => {
  const window = new RollingWindow(2000);
  for (let i = 0; i <= 25; i += 1) window.add(1, i * 40);
  assert.ok(window.rate(2500) < 15);
  assert.equal(window.rate(3100), 0);
});

const answer = (latencyMs, faces = 1) => ({ latencyMs, faces: Array(faces).fill({}) });

test("LiveStatistics counts results, drops by reason, and latencies", () => {
  const statistics = new LiveStatistics();
  for (let i = 0; i < 20; i += 1) statistics.addResult(answer(i + 1, 2), i * 50);
  statistics.addDrop("timeout");
  statistics.addDrop("timeout");
  statistics.addDrop("newer_frame");
  const snapshot = statistics.snapshot(950);
  assert.equal(snapshot.answered, 20);
  assert.equal(snapshot.dropped, 3);
  assert.deepEqual(snapshot.droppedBy, { timeout: 2, newer_frame: 1 });
  assert.equal(snapshot.latencyP50Ms, 10);
  assert.equal(snapshot.latencyP95Ms, 19);
  assert.equal(snapshot.faces, 2);
  assert.equal(Math.round(snapshot.resultsPerSecond), 20);
});

test("LiveStatistics starts anew after reset", () => {
  const statistics = new LiveStatistics();
  statistics.addResult(answer(5), 0);
  statistics.addDrop("timeout");
  statistics.reset();
  assert.deepEqual(statistics.snapshot(10), {
    resultsPerSecond: 0,
    latencyP50Ms: null,
    latencyP95Ms: null,
    answered: 0,
    dropped: 0,
    droppedBy: {},
    faces: 0,
    newest: null,
  });
});

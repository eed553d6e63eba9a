import assert from "node:assert/strict";
import { test } from "node:test";

import { Trend } from "../../../static/js/shared/trend.js";

test("Trend keeps one label a step", () => {
  const trend = new Trend();
  assert.equal(trend.add("happy", 1000), true);
  assert.equal(trend.add("sad", 1100), false);
  assert.equal(trend.add("sad", 1250), true);
  assert.deepEqual(trend.entries, ["happy", "sad"]);
});

test("Trend leaves a gap where nothing was known", () => {
  const trend = new Trend();
  trend.add("happy", 0);
  trend.add("happy", 1000);
  assert.deepEqual(trend.entries, ["happy", null, null, null, "happy"]);
});

test("Trend forgets what is older than a minute", () => {
  const trend = new Trend();
  for (let ms = 0; ms < 240_000; ms += 250) trend.add("happy", ms);
  trend.add("sad", 10_000_000);
  assert.equal(trend.entries.length, 240);
  assert.equal(trend.entries.at(-1), "sad");
  assert.equal(trend.entries[0], null);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseOptions } from "../../../static/js/shared/options.js";

const RAW = {
  emotions: ["angry", "happy"],
  max_frame_bytes: 300000,
  max_in_flight: 2,
  max_fps: 30,
  ack_timeout_ms: 3000,
  model: { name: "net", hash: "0123456789ab", unsure_below: 0.4 },
  detector: "blazeface",
};

test("parseOptions reads what the server wrote", () => {
  const options = parseOptions(JSON.stringify(RAW));
  assert.deepEqual(options.emotions, ["angry", "happy"]);
  assert.equal(options.maxInFlight, 2);
  assert.equal(options.model.unsureBelow, 0.4);
  assert.equal(options.model.heatmaps, null, "an older server tells of none");
  assert.ok(Object.isFrozen(options));
});

for (const [name, json] of [
  ["nothing", null],
  ["no JSON", "{"],
  ["a missing limit", JSON.stringify({ ...RAW, max_in_flight: undefined })],
  ["a limit of zero", JSON.stringify({ ...RAW, max_fps: 0 })],
  ["a limit that is text", JSON.stringify({ ...RAW, max_frame_bytes: "300000" })],
  ["no emotions", JSON.stringify({ ...RAW, emotions: [] })],
  ["emotions that are numbers", JSON.stringify({ ...RAW, emotions: [1, 2] })],
]) {
  test(`parseOptions refuses ${name}`, () => assert.throws(() => parseOptions(json), TypeError));
}

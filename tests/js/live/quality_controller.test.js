import assert from "node:assert/strict";
import { test } from "node:test";

import { QualityController } from "../../../static/js/live/quality_controller.js";

const NETWORK = { roundTripMs: 400, serverMs: 10 };
const SERVER = { roundTripMs: 400, serverMs: 380 };
const GOOD = { roundTripMs: 30, serverMs: 8 };

function build() {
  const controller = new QualityController({ maxFps: 30 });
  let nowMs = 0;
  return {
    controller,
    /** Ten outcomes a second for so many seconds. */
    run(seconds, record) {
      for (let i = 0; i < seconds * 10; i += 1) record((nowMs += 100));
    },
    results(seconds, timing) {
      this.run(seconds, (ms) => controller.recordResult(timing, ms));
    },
  };
}

test("starts at 640 pixels, quality 0.8, the full rate", () => {
  assert.deepEqual(build().controller.settings, { longestSide: 640, quality: 0.8, fps: 30 });
});

test("good round trips change nothing", () => {
  const setup = build();
  setup.results(20, GOOD);
  assert.deepEqual(setup.controller.settings, { longestSide: 640, quality: 0.8, fps: 30 });
});

test("a slow network gets fewer bytes at the same rate", () => {
  const setup = build();
  setup.results(2.5, NETWORK);
  assert.ok(setup.controller.settings.quality < 0.8);
  assert.equal(setup.controller.settings.fps, 30);
});

test("a slow server gets fewer frames of the same size", () => {
  const setup = build();
  setup.results(2.5, SERVER);
  assert.equal(setup.controller.settings.longestSide, 640);
  assert.ok(setup.controller.settings.fps < 30);
});

test("frames dropped by the server lower the rate", () => {
  const setup = build();
  setup.run(2.5, (ms) => setup.controller.recordDrop("server", ms));
  assert.ok(setup.controller.settings.fps < 30);
});

test("time-outs lower the size, and in the end the rate too", () => {
  const setup = build();
  setup.run(2.5, (ms) => setup.controller.recordDrop("timeout", ms));
  assert.ok(setup.controller.settings.quality < 0.8);
  setup.run(20, (ms) => setup.controller.recordDrop("timeout", ms));
  assert.equal(setup.controller.settings.longestSide, 320);
  assert.ok(setup.controller.settings.fps < 30);
});

test("never falls below the smallest settings", () => {
  const setup = build();
  setup.results(120, NETWORK);
  assert.ok(setup.controller.settings.longestSide >= 320);
  assert.ok(setup.controller.settings.fps >= 1);
});

test("comes back slowly when all is well", () => {
  const setup = build();
  setup.results(3, NETWORK);
  setup.results(1, GOOD);
  const low = setup.controller.settings.quality;
  setup.results(2, GOOD);
  assert.equal(setup.controller.settings.quality, low);
  setup.results(60, GOOD);
  assert.deepEqual(setup.controller.settings, { longestSide: 640, quality: 0.8, fps: 30 });
});

test("waits longer after a step up that did not last", () => {
  const setup = build();
  const untilUp = () => {
    const { quality, longestSide } = setup.controller.settings;
    for (let seconds = 1; seconds < 100; seconds += 1) {
      setup.results(1, GOOD);
      const now = setup.controller.settings;
      if (now.quality > quality || now.longestSide > longestSide) return seconds;
    }
    return Infinity;
  };
  setup.results(1.2, NETWORK);
  const first = untilUp();
  setup.results(1.2, NETWORK);
  assert.ok(untilUp() > first);
});

test("a frame too large for the server makes the next one smaller at once", () => {
  const { controller } = build();
  controller.recordTooLarge();
  assert.ok(controller.settings.quality < 0.8);
});

test("after a pause old measurements do not count", () => {
  const setup = build();
  setup.results(0.9, NETWORK);
  setup.controller.forget();
  setup.results(1.5, GOOD);
  assert.equal(setup.controller.settings.quality, 0.8);
});

test("one hiccup changes nothing, a second one in a row does", () => {
  const setup = build();
  const hiccup = () => {
    setup.results(0.8, GOOD);
    setup.results(0.2, NETWORK);
  };
  setup.results(0.1, GOOD);
  hiccup();
  setup.results(3, GOOD);
  assert.equal(setup.controller.settings.quality, 0.8);
  hiccup();
  hiccup();
  hiccup();
  assert.ok(setup.controller.settings.quality < 0.8);
});

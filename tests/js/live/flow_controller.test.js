import assert from "node:assert/strict";
import { test } from "node:test";

import { FlowController } from "../../../static/js/live/flow_controller.js";
import { MAX_IN_FLIGHT, constant, randomNumbers, simulate } from "../support/simulated_network.js";

const max = (values) => Math.max(...values);
const min = (values) => Math.min(...values);

/** Delays of a path in one direction, drawn anew for each packet. */
const jittering = (least, most, seed) => {
  const random = randomNumbers(seed);
  return { delayMs: () => least + random() * (most - least) };
};
const steady = (ms) => ({ delayMs: () => ms });
const everyTenth = (ms, lateMs) => {
  let count = 0;
  return { delayMs: () => (++count % 10 === 0 ? lateMs : ms) };
};
const narrow = (bitsPerSecond, roundTripMs) => () => ({
  up: { ...steady(roundTripMs / 2), bytesPerMs: () => bitsPerSecond / 8000 },
  down: steady(roundTripMs / 2),
});

for (const [roundTripMs, least] of [
  [5, 29],
  [60, 29],
  [160, 29],
  [300, 25],
  [600, 12],
]) {
  test(`a constant round trip of ${roundTripMs} ms is not overload`, async () => {
    const figures = await simulate(constant(roundTripMs), { seconds: 60 });
    for (const [from, to] of [
      [10, 20],
      [50, 60],
    ]) {
      const [{ perSecond, sides, drops, p95Ms }] = figures(from, to);
      assert.ok(perSecond >= least, `${perSecond} a second`);
      assert.equal(min(sides), 640);
      assert.deepEqual(drops, []);
      // Two camera frames, and the time until there is room.
      assert.ok(p95Ms < roundTripMs + 75, `${p95Ms} ms`);
    }
  });
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  for (const [name, up, down] of [
    ["both ways", () => jittering(10, 100, seed), () => jittering(10, 100, seed + 100)],
    ["on the way down", () => steady(10), () => jittering(10, 190, seed)],
    ["on the way up", () => jittering(10, 190, seed), () => steady(10)],
  ]) {
    test(`jitter of 20 to 200 ms ${name} is not overload, draw ${seed}`, async () => {
      const figures = await simulate(() => ({ up: up(), down: down() }), { seconds: 60 });
      const [{ perSecond, sides }] = figures(15, 60);
      assert.ok(perSecond >= 25, `${perSecond} a second`);
      assert.equal(min(sides), 640);
    });
  }
}

for (const [name, up, down] of [
  ["up", () => everyTenth(30, 220), () => steady(30)],
  ["down", () => steady(30), () => everyTenth(30, 220)],
]) {
  test(`every tenth packet late on the way ${name} is not overload`, async () => {
    const figures = await simulate(() => ({ up: up(), down: down() }), { seconds: 60 });
    const [{ perSecond, sides }] = figures(15, 60);
    assert.ok(perSecond >= 25, `${perSecond} a second`);
    assert.equal(min(sides), 640);
  });
}

test("lost packets, sent again after 200 ms, are not overload", async () => {
  const random = randomNumbers(7);
  const up = { delayMs: () => 30 + (random() < 0.02 ? 200 : 0) };
  const [{ perSecond, sides }] = (
    await simulate(() => ({ up, down: steady(30) }), { seconds: 60 })
  )(15, 60);
  assert.ok(perSecond >= 28, `${perSecond} a second`);
  assert.equal(min(sides), 640);
});

for (const roundTripMs of [20, 60, 160]) {
  test(`1 Mbit/s and ${roundTripMs} ms get smaller frames, often enough and in time`, async () => {
    const figures = await simulate(narrow(1e6, roundTripMs), { seconds: 120 });
    const [soon] = figures(6, 16);
    assert.ok(soon.p95Ms < 700, `${soon.p95Ms} ms after six seconds`);
    const [early] = figures(15, 60);
    const [late] = figures(75, 120);
    for (const { perSecond, p95Ms } of [early, late]) {
      assert.ok(perSecond >= 8, `${perSecond} a second`);
      assert.ok(p95Ms < 600, `${p95Ms} ms`);
    }
    assert.ok(max(late.sides) < 640);
    assert.ok(late.p50Ms < early.p50Ms + 50, "latency drifts");
  });
}

test("5 Mbit/s carry large frames at a useful rate: they stay large", async () => {
  const [{ perSecond, sides, p95Ms }] = (await simulate(narrow(5e6, 60), { seconds: 60 }))(15, 60);
  assert.ok(perSecond >= 12, `${perSecond} a second`);
  assert.equal(min(sides), 640);
  assert.ok(p95Ms < 600, `${p95Ms} ms`);
});

test("0.3 Mbit/s still show something, within a second", async () => {
  const [{ perSecond, p95Ms }] = (await simulate(narrow(3e5, 60), { seconds: 60 }))(20, 60);
  assert.ok(perSecond >= 2.5, `${perSecond} a second`);
  assert.ok(p95Ms < 1000, `${p95Ms} ms`);
});

test("a path that becomes wide again is used", async () => {
  const up = { ...steady(30), bytesPerMs: (nowMs) => (nowMs < 20_000 ? 125 : 5000) };
  const figures = await simulate(() => ({ up, down: steady(30) }), { seconds: 90 });
  assert.ok(max(figures(15, 20)[0].sides) < 640);
  const [{ perSecond, sides }] = figures(80, 90);
  assert.ok(perSecond >= 25, `${perSecond} a second`);
  assert.equal(min(sides), 640);
});

test("a path that becomes long does not cost the picture's size", async () => {
  const direction = { delayMs: (nowMs) => (nowMs < 20_000 ? 30 : 130) };
  const figures = await simulate(() => ({ up: direction, down: direction }), { seconds: 60 });
  const [{ perSecond, sides }] = figures(45, 60);
  assert.ok(perSecond >= 25, `${perSecond} a second`);
  assert.equal(min(sides), 640);
});

for (const workers of [1, 2]) {
  test(`three clients share a server that takes 100 ms a frame, ${workers} at a time`, async () => {
    const server = { frameMs: 100, workers };
    const figures = (await simulate(constant(20), { server, clients: 3, seconds: 60 }))(15, 60);
    const fair = (10 * workers) / 3;
    for (const { perSecond, p95Ms, drops, sides } of figures) {
      assert.ok(Math.abs(perSecond - fair) < 0.1 * fair, `${perSecond} a second`);
      assert.ok(p95Ms < 700, `${p95Ms} ms`);
      assert.deepEqual(
        [...new Set(drops)].filter((reason) => reason !== "newer_frame"),
        [],
      );
      assert.ok(drops.length < 10, `${drops.length} frames sent for nothing`);
      // Fewer pixels were tried, did not help, and were taken back.
      assert.ok(sides.filter((side) => side === 640).length > 0.7 * sides.length);
    }
  });
}

test("a slow encoder gets fewer pixels", async () => {
  const encodeMs = ({ longestSide }) => 300 * (longestSide / 640) ** 2;
  const figures = await simulate(() => ({ ...constant(60)(), encodeMs }), { seconds: 60 });
  assert.ok(figures(30, 60)[0].perSecond >= 10, `${figures(30, 60)[0].perSecond} a second`);
});

test("an encoder that is as slow with fewer pixels keeps them", async () => {
  const encodeMs = () => 300;
  const figures = await simulate(() => ({ ...constant(60)(), encodeMs }), { seconds: 60 });
  const { sides } = figures(30, 60)[0];
  assert.ok(sides.filter((side) => side === 640).length > 0.8 * sides.length);
});

test("answers that do not come make frames smaller and fewer, and both come back", () => {
  const controller = new FlowController({ maxFps: 30, maxInFlight: MAX_IN_FLIGHT });
  let nowMs = 0;
  for (let i = 0; i < 40; i += 1) controller.recordDrop("timeout", (nowMs += 500));
  assert.deepEqual(controller.settings, { longestSide: 320, quality: 0.6, fps: 30, inFlight: 1 });
  const timing = { roundTripMs: 40, waitMs: 0, serverMs: 8, encodeMs: 4, bytes: 20_000 };
  for (let i = 0; i < 1500; i += 1) {
    controller.recordBlocked();
    controller.recordResult(timing, (nowMs += 40));
  }
  const { longestSide, inFlight } = controller.settings;
  assert.deepEqual({ longestSide, inFlight }, { longestSide: 640, inFlight: MAX_IN_FLIGHT });
});

test("a frame with too many bytes makes the next one smaller", () => {
  const controller = new FlowController({ maxFps: 30, maxInFlight: MAX_IN_FLIGHT });
  controller.recordTooLarge();
  assert.equal(controller.settings.quality, 0.65);
});

test("the server's bound on frames in flight is kept", async () => {
  const controller = new FlowController({ maxFps: 30, maxInFlight: 1 });
  assert.equal(controller.settings.inFlight, 1);
});

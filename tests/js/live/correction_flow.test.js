import assert from "node:assert/strict";
import { test } from "node:test";

import { ASKED, ASKED_FOR_MS, CorrectionFlow } from "../../../static/js/live/correction_flow.js";
import { KeptOffsets } from "../../../static/js/live/kept_offsets.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";

const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
const OFFSETS = { ...Object.fromEntries(EMOTIONS.map((name) => [name, 0])), sad: -0.8 };
const RESTING = { called: "sad", before: 0.1, after: 0.9, offsets: OFFSETS };
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A flow in front of a camera of ten frames a second. */
function build({ learned = RESTING, stored = {} } = {}) {
  const bus = new EventBus();
  const asked = [];
  const clock = { ms: 0 };
  const store = new Map(Object.entries(stored));
  const preferences = {
    get: (name) => store.get(name) ?? null,
    set: (name, value) => store.set(name, value),
    remove: (name) => store.delete(name),
  };
  const ask = async (event, payload) => {
    asked.push([event, payload]);
    if (learned instanceof Error && event === "learn") throw learned;
    return { take: { views: 30 }, learn: learned, correct: {} }[event];
  };
  const kept = new KeptOffsets(preferences, EMOTIONS);
  const now = () => clock.ms;
  const flow = new CorrectionFlow({ socket: { ask }, bus, kept, emotions: EMOTIONS, now });
  const film = async (ms, ...ids) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.ms += 100;
      bus.emit("result", { faces: ids.map((id) => ({ id })), capturedMs: clock.ms });
      await settle();
    }
  };
  const taken = () => asked.filter(([event]) => event === "take").map(([, one]) => one.expression);
  return { bus, flow, film, asked, clock, store, taken };
}

const LONG_MS = ASKED_FOR_MS + 200;

test("three seconds to get ready and three of the resting face give its correction at once", async () => {
  const { flow, film, asked } = build();
  await film(100, 1, 2);
  flow.open(2);
  flow.begin("resting");
  assert.deepEqual(
    [flow.state.step, flow.state.expression, flow.state.leftS],
    ["ready", "neutral", 3],
  );
  await film(1500, 1, 2);
  assert.equal(flow.state.leftS, 2);
  await film(LONG_MS - 1500, 1, 2);
  assert.equal(flow.state.step, "taking");
  await film(LONG_MS, 1, 2);
  assert.deepEqual(asked, [
    ["take", { face: 2, expression: "neutral" }],
    ["take", { face: 2, expression: null }],
    ["learn", { face: 2, by: "resting" }],
    ["correct", { face: 2, offsets: OFFSETS }],
  ]);
  const { step, isUsed, corrected, isKept } = flow.state;
  assert.deepEqual([step, isUsed, corrected, isKept], ["result", true, "resting", false]);
});

test("time stands still while the person is out of view, whoever else is there", async () => {
  const { flow, film } = build();
  await film(100, 1);
  flow.open(1);
  flow.begin("resting");
  await film(2000, 1);
  const { share } = flow.state;
  await film(5000, 2);
  assert.deepEqual(
    [flow.state.isInView, flow.state.share, flow.state.step],
    [false, share, "ready"],
  );
  await film(1500, 1, 2);
  assert.equal(flow.state.step, "taking");
});

test("on a slow server a take lasts until there are enough views", async () => {
  const { bus, flow, film, clock } = build();
  await film(100, 1);
  flow.open(1);
  flow.begin("resting");
  await film(LONG_MS, 1);
  const slowly = async (count) => {
    for (let i = 0; i < count; i += 1) {
      clock.ms += 1000;
      bus.emit("result", { faces: [{ id: 1 }], capturedMs: clock.ms });
      await settle();
    }
  };
  await slowly(8);
  assert.equal(flow.state.step, "taking");
  await slowly(6);
  assert.equal(flow.state.step, "result");
});

test("without results it waits and says so", async () => {
  const { bus, flow, film, clock } = build();
  await film(100, 1);
  flow.open(1);
  flow.begin("resting");
  await film(500, 1);
  clock.ms += 10_000;
  bus.emit("statistics", {});
  assert.equal(flow.state.isStalled, true);
  await film(200, 1);
  assert.deepEqual([flow.state.isStalled, flow.state.step, flow.state.leftS], [false, "ready", 3]);
});

test("a check asks for all expressions in turn and only offers what it learned", async () => {
  const row = Object.fromEntries(EMOTIONS.map((name) => [name, name === "sad" ? 1 : 0]));
  const learned = { table: { sad: row }, before: 0.5, after: 0.7, offsets: OFFSETS };
  const { flow, film, asked, taken } = build({ learned });
  await film(100, 1);
  flow.open(null);
  flow.begin("check");
  await film(LONG_MS, 1);
  assert.equal(flow.state.expression, ASKED[0]);
  await film(LONG_MS, 1);
  assert.deepEqual([flow.state.expression, flow.state.number], [ASKED[1], 2]);
  for (const _each of ASKED.slice(2)) (flow.skip(), await settle());
  await film(2 * LONG_MS, 1);
  assert.deepEqual(taken().filter(Boolean), [ASKED[0], ASKED.at(-1)]);
  assert.deepEqual(asked.at(-1), ["learn", { face: 1, by: "check" }]);
  assert.deepEqual([flow.state.step, flow.state.isUsed], ["result", false]);
  flow.use();
  await settle();
  assert.equal(flow.state.corrected, "check");
});

test("what was taken of a skipped expression is forgotten", async () => {
  const { flow, film, taken } = build();
  await film(100, 1);
  flow.open(1);
  flow.begin("check");
  await film(LONG_MS + 1000, 1);
  flow.skip();
  await settle();
  assert.deepEqual(taken(), ["neutral", "neutral", null], "taken again, it begins anew");
  assert.deepEqual([flow.state.step, flow.state.expression], ["ready", ASKED[1]]);
});

test("cancel ends the take; an answer that comes later counts no more", async () => {
  const { flow, film, taken, asked } = build();
  await film(100, 1);
  flow.open(1);
  flow.begin("resting");
  await film(LONG_MS, 1);
  flow.cancel();
  await film(2 * LONG_MS, 1);
  assert.deepEqual([flow.state.step, taken()], ["menu", ["neutral", null]]);
  assert.equal(
    asked.some(([event]) => event === "learn"),
    false,
  );
});

test("a refusal is told in the server's words", async () => {
  const { flow, film } = build({ learned: new Error("12 views are needed.") });
  await film(100, 1);
  flow.open(1);
  flow.begin("resting");
  await film(2 * LONG_MS, 1);
  assert.deepEqual([flow.state.step, flow.state.problem], ["problem", "12 views are needed."]);
});

test("numbers are kept in the browser on request, used for whom the person says, and forgotten", async () => {
  const first = build();
  await first.film(100, 1);
  first.flow.open(1);
  first.flow.begin("resting");
  await first.film(2 * LONG_MS, 1);
  assert.equal(first.store.size, 0);
  first.flow.keep(true);
  assert.deepEqual(JSON.parse(first.store.get("correction")), {
    kind: "resting",
    offsets: OFFSETS,
  });

  const later = build({ stored: Object.fromEntries(first.store) });
  await later.film(100, 3);
  later.flow.open(3);
  assert.equal(later.asked.length, 0, "nobody is corrected unasked");
  assert.equal(later.flow.state.earlier, "resting");
  later.flow.useEarlier();
  await settle();
  assert.deepEqual(later.asked, [["correct", { face: 3, offsets: OFFSETS }]]);
  later.flow.remove();
  await settle();
  later.flow.forgetEarlier();
  assert.deepEqual([later.flow.state.earlier, later.store.size], [null, 0]);
});

for (const stored of [
  "",
  "{",
  "null",
  '{"offsets": {"sad": 1}}',
  `{"offsets": ${JSON.stringify({ ...OFFSETS, sad: 9 })}}`,
])
  test(`what this browser kept as ${stored || "nothing"} is no correction`, () => {
    assert.equal(build({ stored: { correction: stored } }).flow.state.earlier, null);
  });

for (const [event, state] of [
  ["session-changed", "idle"],
  ["connection-changed", "reconnecting"],
])
  test(`${event} to ${state} closes it: numbers of faces begin anew`, async () => {
    const { bus, flow, film } = build();
    await film(100, 1);
    flow.open(1);
    flow.begin("resting");
    await film(2 * LONG_MS, 1);
    bus.emit(event, { state });
    const { step, corrected, earlier } = flow.state;
    assert.deepEqual([step, corrected, earlier], ["closed", null, "resting"]);
  });

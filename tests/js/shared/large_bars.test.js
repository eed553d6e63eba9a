import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { fakeDocument, fakeElement } from "../support/fake_elements.js";

globalThis.document = /** @type {any} */ (fakeDocument());
const { LargeBarsView, MOST_FACES } = await import("../../../static/js/shared/views/large_bars.js");

const face = (id, changes = {}) => ({
  id,
  label: "happy",
  confidence: 0.9,
  sure: true,
  scores: { happy: 0.9, sad: 0.1 },
  ...changes,
});

function build(options = {}) {
  const bus = new EventBus();
  const list = fakeElement();
  const clock = { ms: 0 };
  list.hidden = true;
  new LargeBarsView({ list }, bus, { emotions: ["happy", "sad"], now: () => clock.ms, ...options });
  const see = (...faces) => {
    clock.ms += 200;
    bus.emit("result", { faces });
  };
  const words = () => list.children.map(({ text }) => text.replace(/\s+/g, " ").trim());
  return { bus, list, clock, see, words };
}

test("bars are shown in full screen while a stream is live, with what was there before", () => {
  const { bus, list, see, words } = build();
  bus.emit("session-changed", { state: "live" });
  see(face(1));
  assert.ok(list.hidden);
  bus.emit("fullscreen-changed", { isFullscreen: true });
  assert.ok(!list.hidden);
  assert.deepEqual(words(), ["1 Happy 90% Happy 90% Sad 10%"]);
  bus.emit("session-changed", { state: "idle" });
  assert.deepEqual([list.hidden, words()], [true, []]);
});

test("a person's name stands before the expression", () => {
  const { bus, see, words } = build({ isOn: true });
  bus.emit("session-changed", { state: "live" });
  bus.emit("names-changed", { names: new Map([[1, "Anna"]]) });
  see(face(1), face(2));
  assert.deepEqual(
    words().map((text) => text.slice(0, 12)),
    ["1 Anna Happy", "2 Happy 90% "],
  );
});

test("another program's picture has them from the beginning", () => {
  const { bus, list, see } = build({ isOn: true });
  bus.emit("session-changed", { state: "live" });
  see();
  assert.deepEqual([list.hidden, list.dataset.faces], [false, "0"]);
});

test("an unsure face names its closest label with a question mark", () => {
  const { bus, see, words } = build({ isOn: true });
  bus.emit("session-changed", { state: "live" });
  see(face(4, { sure: false, label: "sad" }));
  assert.match(words()[0], /^4 Unsure sad\?/);
});

test("from three faces on each has one bar, and what finds no room is counted", () => {
  const { bus, list, see, words } = build({ isOn: true });
  bus.emit("session-changed", { state: "live" });
  see(face(2), face(1));
  assert.deepEqual([list.dataset.faces, words().map((text) => text[0])], ["2", ["1", "2"]]);
  see(face(1), face(2), face(3));
  assert.equal(list.dataset.faces, "many");
  see(...Array.from({ length: MOST_FACES + 2 }, (_, i) => face(i + 1)));
  assert.equal(list.children.length, MOST_FACES + 1);
  assert.equal(words().at(-1), "and 2 more faces");
});

test("a face that is missed for a moment stays, and one that left goes", () => {
  const { bus, clock, see, words } = build({ isOn: true });
  bus.emit("session-changed", { state: "live" });
  see(face(1));
  see();
  assert.equal(words().length, 1);
  clock.ms += 1200;
  see();
  assert.equal(words().length, 0);
});

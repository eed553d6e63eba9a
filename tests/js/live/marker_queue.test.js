import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { MarkerQueue } from "../../../static/js/live/marker_queue.js";

const lost = () => Object.assign(new Error("lost"), { name: "DisconnectedError" });
const settle = () => new Promise((resolve) => setImmediate(resolve));
const stored = (id) => ({ marker: { id, at_s: 1, text: "" } });

/** Markers whose server answers what the test says, in turn. */
function build(...answers) {
  const bus = new EventBus();
  const [asked, added, messages, renamed] = [[], [], [], []];
  bus.on("marker-added", ({ marker }) => added.push(marker));
  bus.on("message", (message) => messages.push(message));
  const ask = async (event, payload) => {
    asked.push(payload);
    const answer = await answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const rename = async (...change) => {
    renamed.push(change);
  };
  const markers = new MarkerQueue({ socket: { ask }, bus, rename });
  return { markers, asked, added, messages, renamed };
}

test("a marker is there at once, before the server answers", async () => {
  const { markers, added, asked } = build(new Promise(() => {}));
  markers.add({ session: "s1", atS: 4.2 });
  assert.deepEqual(added, [{ session: "s1", atS: 4.2, text: "", id: null }]);
  assert.deepEqual(asked, [{ text: "", at_s: 4.2 }]);
});

test("what was set while the connection was away is stored in order when it is back", async () => {
  const { markers, asked } = build(lost(), stored("a"), stored("b"));
  const first = markers.add({ session: "s1", atS: 1 });
  await settle();
  await markers.name(first, "begins");
  const second = markers.add({ session: "s1", atS: 2 });
  await settle();
  assert.deepEqual(asked, [
    { text: "", at_s: 1 },
    { text: "begins", at_s: 1 },
    { text: "", at_s: 2 },
  ]);
  assert.deepEqual([first.id, second.id], ["a", "b"]);
});

test("a name that comes while it is being stored is stored after it", async () => {
  let answer;
  const { markers, renamed } = build(new Promise((resolve) => (answer = resolve)));
  const marker = markers.add({ session: "s1", atS: 1 });
  await markers.name(marker, "laughs");
  answer(stored("a"));
  await settle();
  assert.deepEqual(renamed, [["s1", "a", { text: "laughs" }]]);
});

test("a name that comes later changes the stored marker", async () => {
  const { markers, renamed } = build(stored("a"));
  const marker = markers.add({ session: "s1", atS: 1 });
  await settle();
  await markers.name(marker, "laughs");
  assert.deepEqual(renamed, [["s1", "a", { text: "laughs" }]]);
});

test("a refused marker is told, and the next one is stored", async () => {
  const refusal = { error: { code: "too_many_markers", message: "Full.", retryable: false } };
  const { markers, messages } = build(refusal, stored("b"));
  markers.add({ session: "s1", atS: 1 });
  const second = markers.add({ session: "s1", atS: 2 });
  await settle();
  assert.equal(messages[0].text, "Full.");
  assert.equal(second.id, "b");
});

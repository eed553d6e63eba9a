import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { PersonNames } from "../../../static/js/live/person_names.js";

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Names whose server answers what the test says, in turn, and {} after that. */
function build(...answers) {
  const bus = new EventBus();
  const [asked, shown, messages] = [[], [], []];
  bus.on("names-changed", ({ names }) => shown.push(Object.fromEntries(names)));
  bus.on("message", (message) => messages.push(message.text));
  const ask = async (event, { face, name }) => {
    asked.push([event, face, name]);
    const answer = (await answers.shift()) ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  new PersonNames({ socket: { ask }, bus });
  const record = (state) => bus.emit("recording-changed", { state, isLive: true });
  const name = (id, text) => bus.emit("person-named", { id, name: text });
  return { bus, asked, shown, messages, record, name };
}

test("a name is shown at once, told for watchers, and told again once the session is recorded", async () => {
  const { asked, shown, record, name } = build();
  name(1, " Ann ");
  await settle();
  assert.deepEqual([shown, asked], [[{ 1: "Ann" }], [["name", 1, "Ann"]]]);
  record("recording");
  record("recording");
  await settle();
  name(1, "");
  await settle();
  assert.deepEqual(asked.slice(1), [
    ["name", 1, "Ann"],
    ["name", 1, ""],
  ]);
  assert.deepEqual(shown.at(-1), {});
});

test("a new session is told all names again", async () => {
  const { asked, record, name } = build();
  name(1, "Ann");
  name(2, "Bob");
  await settle();
  record("recording");
  await settle();
  record("starting");
  record("recording");
  await settle();
  assert.equal(asked.length, 6);
});

test("a lost connection or a stop forgets names: numbers begin anew", async () => {
  for (const [event, state] of [
    ["connection-changed", "reconnecting"],
    ["session-changed", "idle"],
  ]) {
    const { bus, asked, shown, record, name } = build();
    name(1, "Ann");
    bus.emit(event, { state });
    record("recording");
    await settle();
    assert.deepEqual([shown.at(-1), asked], [{}, [["name", 1, "Ann"]]]);
  }
});

test("without a recording the name is not kept, which is no problem", async () => {
  const refusal = { error: { code: "recording_refused", message: "No.", retryable: false } };
  const { asked, messages, record, name } = build(refusal, refusal);
  name(1, "Ann");
  await settle();
  assert.deepEqual([asked.length, messages], [1, []]);
  record("recording");
  await settle();
  assert.deepEqual([asked.length, messages], [2, ["No."]]);
});

test("a name without an answer in time is sent again with the next news of the recording", async () => {
  const late = Object.assign(new Error("late"), { name: "AckTimeoutError" });
  const { asked, messages, record, name } = build(late);
  record("recording");
  name(1, "Ann");
  await settle();
  assert.equal(asked.length, 1);
  record("recording");
  await settle();
  assert.deepEqual([asked.length, messages], [2, []]);
});

test("a refusal is told and is not repeated", async () => {
  const refusal = { error: { code: "bad_value", message: "Too long.", retryable: false } };
  const { asked, messages, record, name } = build(refusal);
  record("recording");
  name(1, "Ann");
  await settle();
  record("recording");
  await settle();
  assert.deepEqual([asked.length, messages], [1, ["Too long."]]);
});

test("a name is cut where the server would refuse it", () => {
  const { shown, name } = build();
  name(1, "x".repeat(200));
  assert.equal(shown[0][1].length, 80);
});

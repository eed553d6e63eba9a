import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { Recording } from "../../../static/js/live/recording.js";
import { problemMessage, tellRecording } from "../../../static/js/live/recording_messages.js";

/** A recording whose server answers what the test says, in turn. */
function build({ isWanted = true, answers = [] } = {}) {
  const bus = new EventBus();
  const [asked, states, messages] = [[], [], []];
  const clock = { ms: 1000 };
  bus.on("recording-changed", (change) => states.push(change));
  bus.on("message", (message) => messages.push(message));
  const socket = {
    ask: async (event, payload) => {
      asked.push([event, payload]);
      const answer = answers.shift() ?? { session: "s1", sample_hz: 5 };
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const recording = new Recording({ socket, bus, now: () => clock.ms, isWanted });
  tellRecording(bus);
  return { recording, asked, states, messages, clock, last: () => states.at(-1) };
}

const refusal = (code, retryable) => ({ error: { code, message: `${code}.`, retryable } });

test("a started camera is recorded from the first moment", async () => {
  const { recording, asked, states } = build();
  await recording.streamStarted();
  assert.deepEqual(asked, [["record", { on: true, session: null, name: null }]]);
  assert.deepEqual(
    states.map(({ state }) => state),
    ["starting", "recording"],
  );
  assert.equal(states.at(-1).session, "s1");
});

test("what is switched off before Start is not recorded", async () => {
  const { recording, asked, last } = build({ isWanted: false });
  await recording.streamStarted();
  assert.deepEqual(asked, []);
  assert.equal(last().state, "off");
});

test("switching off while it runs pauses, and switching on goes on with the same session", async () => {
  const { recording, asked, last } = build();
  await recording.streamStarted();
  await recording.setWanted(false);
  assert.equal(last().state, "paused");
  await recording.setWanted(true);
  assert.deepEqual(asked.slice(1), [
    ["record", { on: false }],
    ["record", { on: true, session: "s1", name: null }],
  ]);
  assert.equal(last().state, "recording");
});

test("a lost connection is followed by the same session", async () => {
  const lost = Object.assign(new Error("lost"), { name: "DisconnectedError" });
  const { recording, asked, states, last, messages } = build({
    answers: [{ session: "s1" }, lost, { session: "s1" }],
  });
  await recording.streamStarted();
  await recording.connectionChanged(false);
  assert.equal(last().hindrance, "connection");
  const since = states.length;
  await recording.connectionChanged(true);
  assert.deepEqual(
    states.slice(since).map(({ state }) => state),
    ["starting"],
  );
  await recording.connectionChanged(false);
  await recording.connectionChanged(true);
  assert.equal(asked.at(-1)[1].session, "s1");
  assert.equal(last().state, "recording");
  assert.deepEqual(messages, []);
});

test("a session that cannot be continued is followed by a new one", async () => {
  const { recording, asked, last } = build({
    answers: [{ session: "s1" }, refusal("not_found", false), { session: "s2" }],
  });
  await recording.streamStarted();
  await recording.connectionChanged(false);
  await recording.connectionChanged(true);
  assert.deepEqual(
    asked.map(([, payload]) => payload.session),
    [null, "s1", null],
  );
  assert.equal(last().session, "s2");
});

test("a refusal is told, and a passing one is tried again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { recording, asked, last } = build({
      answers: [refusal("too_fast", true), { session: "s1" }],
    });
    await recording.streamStarted();
    assert.equal(last().state, "problem");
    assert.deepEqual(last().problem, { code: "too_fast", message: "too_fast.", retryable: true });
    mock.timers.tick(2000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(asked.length, 2);
    assert.equal(last().state, "recording");
  } finally {
    mock.timers.reset();
  }
});

test("a lasting refusal is not tried again", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const { recording, asked } = build({ answers: [refusal("database_newer", false)] });
    await recording.streamStarted();
    mock.timers.tick(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(asked.length, 1);
  } finally {
    mock.timers.reset();
  }
});

test("a problem of the server is over when it saves again", async () => {
  const { recording, last } = build();
  await recording.streamStarted();
  recording.failed({ code: "database_locked", message: "Locked.", retryable: true });
  assert.equal(last().state, "problem");
  recording.saved({ session: "s1", untilS: 4 });
  assert.equal(last().state, "recording");
});

test("a saved batch tells the session when the answer to record was lost", async () => {
  const timeout = Object.assign(new Error("late"), { name: "AckTimeoutError" });
  const { recording, last } = build({ answers: [timeout] });
  await recording.streamStarted();
  recording.saved({ session: "s9", untilS: 4 });
  assert.equal(last().session, "s9");
  recording.streamEnded();
  assert.equal(last().finished, "s9");
});

test("Stop ends the session and names it once", async () => {
  const { recording, states, last } = build();
  await recording.streamStarted();
  recording.streamEnded();
  assert.deepEqual([last().state, last().finished, last().isLive], ["off", "s1", false]);
  const count = states.length;
  recording.streamEnded();
  assert.equal(states.length, count);
});

test("an answer that comes after Stop changes nothing", async () => {
  const { recording, last } = build();
  const starting = recording.streamStarted();
  recording.streamEnded();
  await starting;
  assert.equal(last().state, "off");
});

test("the time that is shown is what the server stored", async () => {
  const { recording, last, clock } = build();
  await recording.streamStarted();
  clock.ms += 5000;
  assert.equal(last().storedS, 0);
  recording.saved({ session: "s1", untilS: 2.4 });
  assert.equal(last().storedS, 2.4);
});

test("nothing stored for a while is told, and what keeps it from being stored", async () => {
  const { recording, last, clock } = build();
  await recording.streamStarted();
  clock.ms += 2600;
  recording.check();
  assert.equal(last().hindrance, "face");
  recording.see(2);
  recording.check();
  assert.equal(last().hindrance, "results");
  recording.saved({ session: "s1", untilS: 2.4 });
  assert.equal(last().hindrance, null);
  await recording.connectionChanged(false);
  assert.equal(last().hindrance, "connection");
  await recording.connectionChanged(true);
  assert.equal(last().hindrance, null);
});

test("a hidden tab is told as such, and on return what it missed", async () => {
  const { recording, last, messages } = build();
  await recording.streamStarted();
  recording.saved({ session: "s1", untilS: 8 });
  recording.setHidden(true);
  assert.equal(last().hindrance, "tab");
  assert.deepEqual(messages, []);
  recording.setHidden(false);
  assert.equal(last().hindrance, null);
  assert.equal(messages[0].title, "Recording paused");
  assert.match(messages[0].text, /after 0:08/);
});

test("a hidden tab that records nothing is not told of", async () => {
  const { recording, last, messages } = build({ isWanted: false });
  await recording.streamStarted();
  recording.setHidden(true);
  recording.setHidden(false);
  assert.deepEqual([last().hindrance, messages], [null, []]);
});

test("a moment is in the session's time, whether the server is there or not", async () => {
  const { recording, clock } = build();
  assert.equal(recording.moment(), null);
  await recording.streamStarted();
  await recording.connectionChanged(false);
  clock.ms += 4200;
  assert.deepEqual(recording.moment(), { session: "s1", atS: 4.2 });
});

test("problems say that the live view goes on", () => {
  const lasting = problemMessage({ message: "The disk is full.", retryable: false });
  assert.deepEqual(
    [lasting.tone, lasting.text],
    ["error", "The disk is full. The live view goes on."],
  );
  assert.equal(problemMessage({ message: "Locked.", retryable: true }).tone, "warning");
});

test("a paused picture is a hindrance, and its time does not count as stored", async () => {
  const { recording, clock, last } = build();
  await recording.streamStarted();
  clock.ms += 10_000;
  recording.saved({ session: "s1", untilS: 10 });
  recording.setPaused(true);
  assert.equal(last().hindrance, "pause");
  clock.ms += 60_000;
  recording.check();
  assert.deepEqual([last().hindrance, last().keptS], ["pause", 10]);
  recording.setPaused(false);
  // What was on its way before the pause.
  recording.saved({ session: "s1", untilS: 10.4 });
  assert.equal(last().keptS, 10);
  clock.ms += 5000;
  recording.saved({ session: "s1", untilS: 75 });
  assert.deepEqual([last().hindrance, last().keptS, last().storedS], [null, 15, 75]);
});

test("pauses that overlap count once, and a new session begins at nothing", async () => {
  const { recording, clock, last } = build();
  await recording.streamStarted();
  recording.setPaused(true);
  clock.ms += 1000;
  recording.setHidden(true);
  clock.ms += 1000;
  recording.setPaused(false);
  assert.equal(last().hindrance, "tab");
  clock.ms += 1000;
  recording.setHidden(false);
  clock.ms += 2000;
  recording.saved({ session: "s1", untilS: 5 });
  assert.equal(last().keptS, 2);
  recording.streamEnded();
  await recording.streamStarted();
  assert.equal(last().keptS, 0);
});

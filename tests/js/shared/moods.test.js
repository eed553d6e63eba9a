import assert from "node:assert/strict";
import { test } from "node:test";

import { describeCircumplex, factsOf } from "../../../static/js/shared/affect_texts.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";
import { Moods } from "../../../static/js/shared/moods.js";

const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];
const scoresOf = (shares) =>
  Object.fromEntries(EMOTIONS.map((emotion) => [emotion, shares[emotion] ?? 0]));
const face = (id, label, sure = true) => ({ id, label, sure, scores: scoresOf({ [label]: 1 }) });

/** A stream at ten results a second, whose clock is set by the test. */
function build() {
  const bus = new EventBus();
  const told = [];
  let nowMs = 0;
  new Moods({ bus, now: () => nowMs, emotions: EMOTIONS });
  bus.on("affect-changed", (affect) => told.push(affect));
  const show = (seconds, ...faces) => {
    for (let i = 0; i < seconds * 10; i += 1) {
      nowMs += 100;
      bus.emit("result", { faces });
    }
    return told.at(-1);
  };
  return { bus, told, show };
}

test("a face has its place, its intensity and a trail of ten seconds", () => {
  const { told, show } = build();
  const { people } = show(60, face(3, "happy"));
  const [{ id, affect, intensity, trail, sinceS }] = people;
  assert.deepEqual([id, affect, intensity], [3, { valence: 0.81, arousal: 0.51 }, 1]);
  assert.ok(trail.length >= 38 && trail.length <= 42, String(trail.length));
  assert.ok(sinceS > 59 && sinceS <= 60);
  assert.ok(told.length <= 240, "not more than four a second");
});

test("the mood is of the last ten seconds, and there is none before two seconds", () => {
  const { show } = build();
  assert.equal(show(1, face(1, "sad")).people[0].mood, null);
  assert.deepEqual(show(7, face(1, "sad")).people[0].mood.label, "sad");
  const { mood } = show(4, face(1, "happy")).people[0];
  assert.equal(mood.label, "sad");
  assert.ok(mood.share > 0.5 && mood.share < 0.7, String(mood.share));
  assert.equal(show(4, face(1, "happy")).people[0].mood.label, "happy");
});

test("the time of a label begins anew when it or its sureness changes, not in a missed frame", () => {
  const { show } = build();
  show(5, face(1, "happy"));
  show(0.5);
  assert.ok(show(1, face(1, "happy")).people[0].sinceS > 6);
  assert.ok(show(1, face(1, "happy", false)).people[0].sinceS <= 1);
});

test("who left counts in the mood of all for ten seconds, and in nothing else", () => {
  const { show } = build();
  show(9, face(1, "sad"), face(2, "sad"));
  const later = show(2, face(1, "happy"));
  assert.deepEqual(
    later.people.map(({ id }) => id),
    [1],
  );
  assert.equal(later.all.label, "sad");
  assert.equal(show(10, face(1, "happy")).all.share, 1);
});

test("a stop and a new connection forget: numbers begin anew", () => {
  for (const [event, state] of [
    ["session-changed", "idle"],
    ["connection-changed", "reconnecting"],
  ]) {
    const { bus, told, show } = build();
    show(5, face(1, "happy"));
    bus.emit(event, { state });
    assert.deepEqual(told.at(-1), { people: [], all: null });
  }
});

test("facts are those that are wanted, in words", () => {
  const { show } = build();
  const [person] = show(12, face(1, "happy")).people;
  assert.deepEqual(factsOf(person, ["bars"]), []);
  assert.deepEqual(factsOf(person, ["since", "mood", "intensity", "affect"]), [
    "Valence +0.81, arousal +0.51",
    "Intensity >99%",
    "Shown for 0:11",
    "Last 10 s: happy >99%",
  ]);
  assert.equal(
    describeCircumplex([person], new Map([[1, "Ann"]])),
    "Ann: pleasant, active (valence +0.81, arousal +0.51)",
  );
  assert.equal(describeCircumplex([], new Map()), "No face in view");
});

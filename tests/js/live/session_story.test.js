import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { SessionStory } from "../../../static/js/live/session_story.js";

const face = (id, label = "happy", sure = true) => ({ id, label, sure });

function build() {
  const bus = new EventBus();
  const clock = { ms: 1000 };
  let timeline = null;
  const ended = [];
  bus.on("timeline-changed", (changed) => (timeline = changed));
  bus.on("story-ended", ({ story }) => ended.push(story));
  const story = new SessionStory({ bus, now: () => clock.ms, emotions: ["happy", "neutral"] });
  const film = (seconds, ...faces) => {
    for (let i = 0; i < seconds * 4; i += 1) {
      clock.ms += 250;
      bus.emit("result", { faces });
      story.tick();
    }
  };
  const become = (state) => bus.emit("session-changed", { state });
  return {
    bus,
    clock,
    story,
    film,
    become,
    ended,
    lanes: () => timeline.lanes,
    told: () => timeline,
  };
}

test("the last minute has a lane for each person, with gaps where nobody was there", () => {
  const { become, film, lanes } = build();
  become("live");
  film(5, face(1), face(2, "neutral", false));
  film(5, face(1));
  const [first, second] = lanes();
  assert.deepEqual([first.name, second.name], ["Face 1", "Face 2"]);
  assert.deepEqual([first.cells.length, first.cells.at(-1), first.cells[0]], [240, "happy", null]);
  assert.equal(second.cells.filter((cell) => cell === "unsure").length, 20);
  film(65, face(1));
  assert.deepEqual(
    lanes().map(({ name }) => name),
    ["Face 1"],
  );
});

test("after Stop a story of the whole session is told, with names, markers and the recording", () => {
  const { bus, become, film, told, ended } = build();
  become("live");
  bus.emit("recording-changed", { session: "s1" });
  bus.emit("names-changed", { names: new Map([[1, "Ann"]]) });
  film(4, face(1), face(2));
  const marker = { text: "" };
  bus.emit("marker-added", { marker });
  marker.text = "laughs";
  film(4);
  become("idle");
  bus.emit("names-changed", { names: new Map() });
  const [story] = ended;
  assert.deepEqual([story.lengthS, story.presentShare, story.count], [8, 0.5, 2]);
  assert.deepEqual(story.people.map(({ name, seenS }) => [name, seenS]), [["Ann", 4], ["Face 2", 4]]); // prettier-ignore
  assert.deepEqual(story.markers, [{ atS: 4, text: "laughs" }]);
  assert.equal(story.session, "s1");
  assert.deepEqual([told().range, told().isOver, told().markers[0].place], ["session", true, 0.5]);
});

test("a new connection counts its numbers anew, and its faces are others", () => {
  const { bus, become, film, ended } = build();
  become("live");
  bus.emit("names-changed", { names: new Map([[1, "Ann"]]) });
  film(2, face(1));
  bus.emit("connection-changed", { state: "reconnecting" });
  bus.emit("names-changed", { names: new Map() });
  film(2, face(1));
  become("problem");
  assert.deepEqual(
    ended[0].people.map(({ name }) => name),
    ["Ann", "Face 1"],
  );
});

test("nothing is told of what was before Start or after Stop", () => {
  const { bus, become, film, ended, told } = build();
  film(1, face(1));
  become("starting");
  become("idle");
  assert.deepEqual([told(), ended], [null, []]);
  become("live");
  become("idle");
  bus.emit("result", { faces: [face(1)] });
  assert.deepEqual([ended.length, ended[0].people, ended[0].session], [1, [], null]);
});

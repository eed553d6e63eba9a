import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { SessionData } from "../../../static/js/history/session_data.js";

const face = (number, person = number, name = "") => ({ face: number, person, name });
const SAMPLES = { at_s: [], face: [], label: [], sure: [], scores: { happy: [] } };

async function build(updatePerson) {
  const bus = new EventBus();
  const [shown, messages, asked] = [[], [], []];
  bus.on("session-changed", ({ session }) => shown.push(session));
  bus.on("message", (message) => messages.push(message));
  const api = {
    session: async () => ({
      labels: ["happy"],
      markers: [],
      faces: 2,
      face_list: [face(1), face(2)],
    }),
    samples: async (_id, query) => (asked.push(query.face), SAMPLES),
    summary: async () => ({}),
    updatePerson,
  };
  const data = new SessionData({ api, bus, id: "s1", view: { face: 2, smoothingS: 0 } });
  await data.load();
  return { data, shown, messages, asked };
}

test("a merge is shown, can be undone, and all faces are looked at again", async () => {
  const merged = { face_list: [face(1), face(2, 1)], faces: 1 };
  const { data, shown, messages, asked } = await build(async () => merged);
  await data.updatePerson(2, { same_as: 1 });
  assert.equal(shown.at(-1).faces, 1);
  assert.deepEqual(messages[0].action.detail, { face: 2, changes: { same_as: 2 } });
  assert.deepEqual(asked, [2, null]);
  await data.updatePerson(2, { same_as: 2 });
  assert.equal(messages.length, 1);
});

test("a name needs no samples again", async () => {
  const { data, shown, asked } = await build(async () => ({ face_list: [face(1, 1, "Ann")] }));
  await data.updatePerson(1, { name: "Ann" });
  assert.equal(shown.at(-1).face_list[0].name, "Ann");
  assert.deepEqual(asked, [2]);
});

test("a refusal is told, and what is stored is shown again", async () => {
  const { data, shown, messages } = await build(async () => {
    throw new Error("Merge faces one way only.");
  });
  const before = shown.at(-1).face_list;
  await data.updatePerson(1, { same_as: 2 });
  assert.equal(messages[0].text, "Merge faces one way only.");
  assert.notEqual(shown.at(-1).face_list, before);
  assert.deepEqual(shown.at(-1).face_list, before);
});

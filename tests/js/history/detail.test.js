import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { Detail, POINTS } from "../../../static/js/history/detail.js";

const LONG_S = 36_000;
const raw = (stepS) => ({ at_s: [], face: [], label: [], sure: [], scores: {}, step_s: stepS });
const rest = () => new Promise((resolve) => setTimeout(resolve, 5));

function build({ stepS = LONG_S / POINTS, answer = async () => raw(0) } = {}) {
  const bus = new EventBus();
  const [asked, shown] = [[], []];
  const api = { samples: (_id, query) => (asked.push(query), answer(query)) };
  bus.on("detail-changed", ({ samples }) => shown.push(samples.stepS));
  new Detail({ api, bus, id: "s1", restMs: 0 });
  const view = { face: 2, smoothingS: 0.5 };
  bus.emit("view-changed", { samples: { stepS }, view, session: { labels: [] } });
  const move = async (fromS, toS) => {
    bus.emit("range-changed", { fromS, toS });
    await rest();
  };
  return { move, asked, shown, bus };
}

test("a session that was not thinned needs nothing more", async () => {
  const { move, asked } = build({ stepS: 0 });
  await move(10, 20);
  assert.deepEqual(asked, []);
});

test("of all of it the first answer has as much as is drawn", async () => {
  const { move, asked } = build();
  await move(0, LONG_S);
  await move(0, LONG_S / 2);
  assert.deepEqual(asked, []);
});

test("a short window is asked for as it is looked at, with as much around it", async () => {
  const { move, asked, shown } = build();
  await move(1000, 2000);
  assert.deepEqual(asked, [{ face: 2, smoothing_s: 0.5, points: POINTS, from_s: 500, to_s: 2500 }]);
  assert.deepEqual(shown, [0]);
  await move(900, 1900);
  assert.equal(asked.length, 1);
});

test("a window that is left shows all of it again, at once", async () => {
  const { move, asked, shown } = build();
  await move(1000, 2000);
  await move(0, LONG_S);
  assert.deepEqual(shown, [0, LONG_S / POINTS]);
  assert.equal(asked.length, 1);
});

test("a window within a thinned one is asked for anew", async () => {
  const { move, asked } = build({ answer: async () => raw(1) });
  await move(0, 5000);
  await move(100, 700);
  assert.equal(asked.length, 2);
});

test("a failure leaves what is shown", async () => {
  const { move, asked, shown } = build({ answer: () => Promise.reject(new Error("busy")) });
  await move(1000, 2000);
  assert.deepEqual(shown, []);
  await move(1000, 2100);
  assert.equal(asked.length, 2);
});

test("another view ends what was on its way", async () => {
  let answerLate;
  const { move, shown, bus } = build({
    answer: () => new Promise((resolve) => (answerLate = () => resolve(raw(0)))),
  });
  await move(1000, 2000);
  bus.emit("view-changed", { samples: { stepS: 0 }, view: {}, session: { labels: [] } });
  answerLate();
  await rest();
  assert.deepEqual(shown, []);
});

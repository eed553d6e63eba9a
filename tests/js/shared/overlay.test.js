import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { OverlayView } from "../../../static/js/shared/views/overlay.js";

const FACE = {
  id: 1,
  box: [0.2, 0.2, 0.3, 0.3],
  label: "happy",
  scores: {},
  confidence: 0.9,
  isSure: true,
};

globalThis.ResizeObserver = class {
  observe() {}
};
globalThis.requestAnimationFrame = () => 0;

function build() {
  const bus = new EventBus();
  const told = [];
  bus.on("message", ({ title }) => told.push(title));
  bus.on("message-cleared", ({ id }) => told.at(-1) !== id && told.push(id));
  const canvas = { width: 10, height: 10, getContext: () => ({ clearRect() {} }) };
  new OverlayView({ canvas }, bus, () => ({ width: 640, height: 480 }));
  const answer = (lateMs) => {
    bus.emit("video-frame", { capturedMs: 10_000 });
    bus.emit("result", { faces: [FACE], capturedMs: 10_000 - lateMs });
  };
  return { bus, told, answer };
}

test("results that all come late are told, until one is in time", () => {
  const { told, answer } = build();
  answer(1500);
  answer(1500);
  assert.deepEqual(told, []);
  answer(1500);
  answer(1500);
  assert.deepEqual(told, ["Results come late"]);
  answer(200);
  assert.deepEqual(told, ["Results come late", "late"]);
});

test("a late result now and then is nothing to tell", () => {
  const { told, answer } = build();
  for (let i = 0; i < 5; i += 1) {
    answer(1500);
    answer(1500);
    answer(50);
  }
  assert.deepEqual(told, ["late"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { VideoClock, captureTime } from "../../../static/js/live/video_clock.js";

function build() {
  const waiting = [];
  const video = { requestVideoFrameCallback: (callback) => waiting.push(callback) };
  const bus = new EventBus();
  const frames = [];
  bus.on("video-frame", (frame) => frames.push(frame));
  const show = (ms) =>
    waiting.splice(0).forEach((callback) => callback(ms, { captureTime: ms - 5 }));
  return { clock: new VideoClock(video, bus), frames, show };
}

test("VideoClock tells each picture once", () => {
  const { clock, frames, show } = build();
  clock.start();
  clock.start();
  [100, 133].forEach(show);
  assert.deepEqual(frames, [
    { capturedMs: 95, nowMs: 100 },
    { capturedMs: 128, nowMs: 133 },
  ]);
});

test("VideoClock stopped and started between two pictures still tells each once", () => {
  const { clock, frames, show } = build();
  clock.start();
  clock.stop();
  clock.start();
  [100, 133].forEach(show);
  assert.equal(frames.length, 2);
});

test("VideoClock tells nothing after stop", () => {
  const { clock, frames, show } = build();
  clock.start();
  clock.stop();
  show(100);
  assert.equal(frames.length, 0);
});

test("VideoClock keeps another window's beat while that is there, and then the page's again", () => {
  const { clock, frames, show } = build();
  const asked = [];
  const screen = /** @type {any} */ ({ requestAnimationFrame: (callback) => asked.push(callback) });
  clock.start();
  clock.runBy(screen);
  show(100);
  assert.equal(frames.length, 0, "the page's own beat is left");
  asked.shift()();
  asked.shift()();
  assert.equal(frames.length, 2);
  clock.runBy(null);
  asked.shift()();
  assert.equal(frames.length, 2);
  show(200);
  assert.equal(frames.at(-1).nowMs, 200);
});

for (const [name, metadata, expected] of [
  ["the camera's time", { captureTime: 980, presentationTime: 1000 }, 980],
  ["the time of display without it", { presentationTime: 1000 }, 1000],
  ["now without either", {}, 1005],
  [
    "the time of display when the camera's clock is another one",
    { captureTime: 86_400_000, presentationTime: 1000 },
    1000,
  ],
  ["now when both are long ago", { captureTime: -5000, presentationTime: -5000 }, 1005],
]) {
  test(`captureTime is ${name}`, () => assert.equal(captureTime(metadata, 1005), expected));
}

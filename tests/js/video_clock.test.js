import assert from "node:assert/strict";
import { test } from "node:test";

import { captureTime } from "../../static/js/video_clock.js";

for (const [name, metadata, expected] of [
  ["the camera's time", { captureTime: 980, presentationTime: 1000 }, 980],
  ["the time of display without it", { presentationTime: 1000 }, 1000],
  ["now without either", {}, 1005],
  ["the time of display when the camera's clock is another one", { captureTime: 86_400_000, presentationTime: 1000 }, 1000],
  ["now when both are long ago", { captureTime: -5000, presentationTime: -5000 }, 1005],
]) {
  test(`captureTime is ${name}`, () => assert.equal(captureTime(metadata, 1005), expected));
}

import assert from "node:assert/strict";
import { test } from "node:test";

import { boxToRect, clipBox, fitRect, limitSize } from "../../../static/js/shared/geometry.js";

const near = (actual, expected) =>
  Object.keys(expected).forEach((key) =>
    assert.ok(Math.abs(actual[key] - expected[key]) < 1e-9, `${key}: ${actual[key]}`),
  );

test("fitRect contain puts bars beside a narrow picture", () => {
  near(fitRect({ width: 640, height: 480 }, { width: 1000, height: 300 }, "contain"), {
    x: 300,
    y: 0,
    width: 400,
    height: 300,
  });
});

test("fitRect cover lets the picture stick out", () => {
  near(fitRect({ width: 640, height: 480 }, { width: 400, height: 400 }, "cover"), {
    x: -66.66666666666669,
    y: 0,
    width: 533.3333333333334,
    height: 400,
  });
});

test("fitRect without area gives no area instead of NaN", () => {
  near(fitRect({ width: 0, height: 0 }, { width: 400, height: 400 }, "contain"), {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  });
});

const PICTURE = { x: 100, y: 50, width: 800, height: 600 };

test("boxToRect maps fractions to the picture", () => {
  near(boxToRect([0.25, 0.5, 0.1, 0.2], PICTURE, false), {
    x: 300,
    y: 350,
    width: 80,
    height: 120,
  });
});

test("boxToRect mirrored flips the place but not the size", () => {
  near(boxToRect([0.25, 0.5, 0.1, 0.2], PICTURE, true), { x: 620, y: 350, width: 80, height: 120 });
});

test("boxToRect mirrored twice is where it was", () => {
  const whole = { x: 0, y: 0, width: 1, height: 1 };
  const once = boxToRect([0.2, 0.1, 0.3, 0.4], whole, true);
  near(boxToRect([once.x, once.y, once.width, once.height], whole, true), {
    x: 0.2,
    y: 0.1,
    width: 0.3,
    height: 0.4,
  });
});

test("clipBox cuts what lies outside the frame", () => {
  near(clipBox([-0.1, 0.9, 0.3, 0.3]), [0, 0.9, 0.2, 0.1]);
  near(clipBox([1.2, 0.5, 0.3, 0.3]), [1, 0.5, 0, 0.3]);
});

test("limitSize shrinks the longest side and never enlarges", () => {
  assert.deepEqual(limitSize({ width: 1280, height: 720 }, 640), { width: 640, height: 360 });
  assert.deepEqual(limitSize({ width: 720, height: 1280 }, 640), { width: 360, height: 640 });
  assert.deepEqual(limitSize({ width: 320, height: 240 }, 640), { width: 320, height: 240 });
  assert.deepEqual(limitSize({ width: 0, height: 0 }, 640), { width: 1, height: 1 });
});

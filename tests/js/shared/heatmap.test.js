import assert from "node:assert/strict";
import { test } from "node:test";

import {
  HEAT_GRADIENT,
  drawHeatmap,
  heatColour,
  heatPixels,
  moveCorners,
} from "../../../static/js/shared/heatmap.js";

const MAP = {
  side: 2,
  corners: [
    [0.2, 0.3],
    [0.6, 0.3],
    [0.6, 0.8],
    [0.2, 0.8],
  ],
  values: { happy: [0, 255, 0, 255], sad: [0, 0, 0, 0] },
  method: "cam",
};
const PICTURE = { x: 10, y: 20, width: 200, height: 100 };

/** Writes down what is asked of it. */
function recordingContext() {
  const calls = [];
  const record =
    (name) =>
    (...values) =>
      calls.push([name, ...values]);
  const names = ["save", "restore", "beginPath", "rect", "clip", "transform", "drawImage"];
  return {
    calls,
    called: (name) => calls.filter(([each]) => each === name),
    ...Object.fromEntries(names.map((name) => [name, record(name)])),
  };
}

function fakeCanvases() {
  const canvases = [];
  const makeCanvas = (size) => {
    const canvas = {
      size,
      pixels: null,
      getContext: () => ({
        createImageData: (width, height) => ({ data: new Uint8ClampedArray(width * height * 4) }),
        putImageData: ({ data }) => (canvas.pixels = data),
      }),
    };
    canvases.push(canvas);
    return canvas;
  };
  return { canvases, makeCanvas };
}

test("nothing is transparent and more is lighter and more opaque", () => {
  assert.equal(heatColour(0)[3], 0);
  const steps = [0, 32, 64, 128, 192, 255].map(heatColour);
  const light = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  for (let i = 1; i < steps.length; i++) {
    assert.ok(light(steps[i]) > light(steps[i - 1]), `step ${i} is lighter`);
    assert.ok(steps[i][3] > steps[i - 1][3], `step ${i} is more opaque`);
  }
  assert.ok(steps.at(-1)[3] < 255, "the face can be seen beneath the hottest place");
});

test("a value out of range takes the colour of the nearest one", () => {
  assert.deepEqual(heatColour(-3), heatColour(0));
  assert.deepEqual(heatColour(300), heatColour(255));
});

test("a map becomes a picture of its size, smooth between the cells and flat at the edge", () => {
  const pixels = heatPixels([0, 255, 0, 255], 2, 8);
  assert.equal(pixels.length, 8 * 8 * 4);
  const alphas = Array.from({ length: 8 }, (_, column) => pixels[4 * column + 3]);
  assert.deepEqual(
    alphas,
    [...alphas].sort((a, b) => a - b),
    "rises from left to right",
  );
  assert.equal(alphas[0], 0);
  assert.equal(alphas[0], alphas[1]);
  assert.equal(alphas[7], heatColour(255)[3]);
  assert.ok(new Set(alphas).size >= 5, `${alphas} has steps between the cells`);
});

test("rows run down the picture", () => {
  const pixels = heatPixels([0, 0, 255, 255], 2, 4);
  assert.equal(pixels[3], 0);
  assert.equal(pixels[4 * 15 + 3], heatColour(255)[3]);
});

test("a map of one cell is one colour", () => {
  const pixels = heatPixels([200], 1, 2);
  for (let i = 0; i < 4; i++)
    assert.deepEqual([...pixels.slice(4 * i, 4 * i + 4)], heatColour(200));
});

test("a map lies on its square of the picture", () => {
  const context = recordingContext();
  drawHeatmap(context, MAP, "happy", { picture: PICTURE, makeCanvas: fakeCanvases().makeCanvas });
  const [[, ...matrix]] = context.called("transform");
  assert.deepEqual(
    matrix.map((value) => Math.round(value)),
    [80, 0, 0, 50, 50, 50],
  );
  assert.deepEqual(
    context.called("rect"),
    [["rect", 10, 20, 200, 100]],
    "nothing is drawn beside the picture",
  );
  assert.deepEqual(context.called("drawImage")[0].slice(2), [0, 0, 1, 1]);
  assert.equal(context.calls.at(-1)[0], "restore");
});

test("a mirrored picture has its map mirrored", () => {
  const context = recordingContext();
  drawHeatmap(context, MAP, "happy", {
    picture: PICTURE,
    isMirrored: true,
    makeCanvas: fakeCanvases().makeCanvas,
  });
  assert.deepEqual(
    context
      .called("transform")[0]
      .slice(1)
      .map(Math.round)
      .map((value) => value + 0),
    [-80, 0, 0, 50, 170, 50],
  );
});

test("a turned face has its map turned", () => {
  const context = recordingContext();
  const corners = [
    [0.5, 0.1],
    [0.7, 0.5],
    [0.5, 0.9],
    [0.3, 0.5],
  ];
  drawHeatmap(context, { ...MAP, corners }, "happy", {
    picture: PICTURE,
    makeCanvas: fakeCanvases().makeCanvas,
  });
  assert.deepEqual(
    context.called("transform")[0].slice(1).map(Math.round),
    [40, 40, -40, 40, 110, 30],
  );
});

test("a map is coloured once, however often it is drawn", () => {
  const { canvases, makeCanvas } = fakeCanvases();
  const map = { ...MAP };
  const context = recordingContext();
  for (let i = 0; i < 3; i++) drawHeatmap(context, map, "happy", { picture: PICTURE, makeCanvas });
  drawHeatmap(context, map, "sad", { picture: PICTURE, makeCanvas });
  assert.equal(canvases.length, 2);
  assert.equal(context.called("drawImage").length, 4);
  assert.ok(canvases[0].pixels.some((value) => value > 0));
  assert.ok(
    canvases[1].pixels.every((value, i) => i % 4 !== 3 || value === 0),
    "a map of zeros is not to be seen",
  );
});

test("an expression without a map and a picture without area draw nothing", () => {
  const context = recordingContext();
  drawHeatmap(context, MAP, "angry", { picture: PICTURE });
  drawHeatmap(context, MAP, "happy", { picture: { x: 0, y: 0, width: 0, height: 0 } });
  assert.deepEqual(context.calls, []);
});

test("corners follow the box of their face", () => {
  const moved = moveCorners(
    [
      [0.2, 0.2],
      [0.4, 0.6],
    ],
    [0.2, 0.2, 0.2, 0.4],
    [0.5, 0.1, 0.4, 0.2],
  );
  assert.deepEqual(
    moved.map((corner) => corner.map((value) => Number(value.toFixed(6)))),
    [
      [0.5, 0.1],
      [0.9, 0.3],
    ],
  );
});

test("the legend runs from the coldest colour to the hottest", () => {
  assert.match(HEAT_GRADIENT, /^linear-gradient\(to right, rgb\(0 0 4\), .*rgb\(252 255 164\)\)$/);
});

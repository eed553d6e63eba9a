import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameEncoder } from "../../../static/js/live/frame_encoder.js";

function fakeCanvas() {
  const canvas = { width: 1, height: 1, options: null, drawn: [], type: "" };
  const context = { drawImage: (_source, ...place) => canvas.drawn.push(place) };
  canvas.getContext = (_kind, options) => ((canvas.options = options), context);
  canvas.convertToBlob = async ({ type }) => ((canvas.type = type), new Blob(["jpeg"]));
  return canvas;
}

const SETTINGS = { longestSide: 640, quality: 0.8 };

test("the picture is cut to its longest side and read back from memory", async () => {
  const canvas = fakeCanvas();
  const encoder = new FrameEncoder({ videoWidth: 1280, videoHeight: 720 }, canvas);
  const { bytes, width, height } = await encoder.encode(SETTINGS);
  assert.deepEqual([bytes.byteLength, width, height], [4, 640, 360]);
  assert.deepEqual([canvas.width, canvas.height, canvas.type], [640, 360, "image/jpeg"]);
  assert.deepEqual(canvas.drawn, [[0, 0, 640, 360]]);
  assert.equal(canvas.options.willReadFrequently, true);
});

test("a video without a picture gives none", async () => {
  const encoder = new FrameEncoder({ videoWidth: 0, videoHeight: 0 }, fakeCanvas());
  assert.equal(await encoder.encode(SETTINGS), null);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  UNSURE_COLOUR,
  contrast,
  emotionColour,
  textColourOn,
} from "../../../static/js/shared/palette.js";

const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

test("contrast is WCAG's", () => {
  assert.equal(contrast("#000000", "#FFFFFF"), 21);
  assert.equal(contrast("#FFFFFF", "#FFFFFF"), 1);
});

test("the text of every label passes AA on its colour", () => {
  for (const colour of [...EMOTIONS.map(emotionColour), UNSURE_COLOUR]) {
    assert.ok(contrast(colour, textColourOn(colour)) >= 4.5, colour);
  }
});

test("no two expressions share a colour", () =>
  assert.equal(new Set(EMOTIONS.map(emotionColour)).size, 7));

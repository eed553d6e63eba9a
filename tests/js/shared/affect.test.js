import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  POSITIONS,
  affectOf,
  compoundName,
  describeAffect,
  formatSigned,
  intensityOf,
} from "../../../static/js/shared/affect.js";

const PYTHON = readFileSync(
  new URL("../../../fer_web/inference/affect.py", import.meta.url),
  "utf8",
);
const EMOTIONS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"];

test("pages and server have the same places of the seven", () => {
  const block = /POSITIONS: Final = \{([^}]+)\}/.exec(PYTHON)[1];
  const theirs = [...block.matchAll(/"(\w+)": \((-?[\d.]+), (-?[\d.]+)\)/g)].map(
    ([, emotion, valence, arousal]) => [emotion, [Number(valence), Number(arousal)]],
  );
  assert.deepEqual(Object.fromEntries(theirs), { ...POSITIONS });
  assert.deepEqual(Object.keys(POSITIONS), EMOTIONS);
});

test("a mixture stands at the mean of its places, and intensity is all that is not neutral's", () => {
  const scores = { happy: 0.5, surprise: 0.25, neutral: 0.25 };
  const { valence, arousal } = affectOf(scores);
  assert.ok(Math.abs(valence - 0.505) < 1e-12);
  assert.ok(Math.abs(arousal - 0.4225) < 1e-12);
  assert.equal(intensityOf(scores), 0.75);
});

test("every pair of expressions has a name of its own, in either order", () => {
  const names = new Set();
  const six = EMOTIONS.filter((emotion) => emotion !== "neutral");
  for (const [i, one] of six.entries())
    for (const other of six.slice(i + 1)) {
      names.add(compoundName(one, other));
      assert.equal(compoundName(one, other), compoundName(other, one));
    }
  assert.equal(names.size, 15);
  assert.equal(compoundName("surprise", "happy"), "happily surprised");
  assert.equal(compoundName("happy", "sad"), "happy and sad");
});

test("a place is told in words and with its sign", () => {
  assert.equal(describeAffect({ valence: 0.4, arousal: 0.3 }), "pleasant, active");
  assert.equal(describeAffect({ valence: -0.4, arousal: -0.2 }), "unpleasant, calm");
  assert.equal(describeAffect({ valence: 0.05, arousal: 0.5 }), "active");
  assert.equal(describeAffect({ valence: 0.05, arousal: -0.05 }), "in the middle");
  assert.equal(formatSigned(0.456), "+0.46");
  assert.equal(formatSigned(-0.001), "0.00");
});

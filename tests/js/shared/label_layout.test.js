import assert from "node:assert/strict";
import { test } from "node:test";

import { overlap, placeLabels } from "../../../static/js/shared/label_layout.js";
import { randomNumbers } from "../support/simulated_network.js";

const VIEW = { width: 960, height: 720 };
const SIZES = [
  { width: 150, height: 27 },
  { width: 34, height: 27 },
];
const at = (x, y, side, id = 1) => ({
  id,
  rect: { x, y, width: side, height: side },
  sizes: SIZES,
});

/** Nine faces anywhere, as people sit, stand and move before each other. */
function drawnLayout(random, { isCrowded }) {
  const least = isCrowded ? 140 : 60;
  return Array.from({ length: 9 }, (_, index) => {
    const side = least + random() * 120;
    return at(random() * (VIEW.width - side), random() * (VIEW.height - side), side, index + 1);
  });
}

for (const isCrowded of [false, true]) {
  test(`no label covers another one or another face, ${isCrowded ? "crowded" : "spread"}`, () => {
    const random = randomNumbers(isCrowded ? 2 : 1);
    let [labels, short] = [0, 0];
    for (let layout = 0; layout < 200; layout += 1) {
      const faces = drawnLayout(random, { isCrowded });
      const placed = placeLabels(faces, VIEW, 7);
      for (const [id, label] of placed) {
        labels += 1;
        short += label.text;
        assert.ok(label.x >= 0 && label.y >= 0);
        assert.ok(label.x + label.width <= VIEW.width && label.y + label.height <= VIEW.height);
        for (const [other, second] of placed) assert.ok(id === other || !overlap(label, second));
        for (const face of faces) assert.ok(id === face.id || !overlap(label, face.rect));
      }
    }
    // Most faces have a label, and most labels all their words.
    assert.ok(labels > (isCrowded ? 0.5 : 0.9) * 200 * 9, `${labels} labels`);
    assert.ok(short < (isCrowded ? 0.5 : 0.2) * labels, `${short} short ones`);
  });
}

test("a label stands above its face, below one at the top, inside one that fills the view", () => {
  const y = (face) => placeLabels([face], VIEW, 7).get(1).y;
  assert.equal(y(at(300, 300, 100)), 266);
  assert.equal(y(at(300, 10, 100)), 117);
  assert.equal(y({ id: 1, rect: { x: 0, y: 0, ...VIEW }, sizes: SIZES }), 7);
});

test("a label stays within the sides of the view", () => {
  assert.equal(placeLabels([at(940, 300, 100)], VIEW, 7).get(1).x, VIEW.width - 150);
  assert.equal(placeLabels([at(-60, 300, 100)], VIEW, 7).get(1).x, 0);
});

test("a label keeps its place while that is free", () => {
  const below = placeLabels([at(300, 10, 100)], VIEW, 7);
  const moved = placeLabels([at(300, 60, 100)], VIEW, 7, below);
  assert.equal(moved.get(1).spot, below.get(1).spot);
});

test("where there is no room for words there is none for a wrong name", () => {
  const wall = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => at(320 * column, 240 * row, 320, row * 3 + column)),
  );
  const under = { ...at(330, 250, 60, 99) };
  assert.equal(placeLabels([...wall, under], VIEW, 7).has(99), false);
});

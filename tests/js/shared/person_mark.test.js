import assert from "node:assert/strict";
import { test } from "node:test";

import { drawPersonMark, personMark } from "../../../static/js/shared/person_mark.js";

test("eight numbers have eight shapes, and each number keeps its own", () => {
  const names = Array.from({ length: 8 }, (_each, i) => personMark(i + 1).name);
  assert.equal(new Set(names).size, 8);
  assert.equal(personMark(9).name, personMark(1).name);
  assert.ok(personMark(0).corners.length > 2);
});

test("a shape is drawn within its place", () => {
  for (let number = 1; number <= 8; number += 1) {
    const points = [];
    let filled = 0;
    const context = {
      beginPath() {},
      closePath() {},
      lineTo: (x, y) => points.push(Math.max(Math.abs(x - 20), Math.abs(y - 30))),
      fill: () => (filled += 1),
    };
    drawPersonMark(context, number, { x: 20, y: 30, radius: 5 });
    assert.ok(Math.max(...points) <= 5.001 && Math.max(...points) > 3);
    assert.equal(filled, 1);
  }
});

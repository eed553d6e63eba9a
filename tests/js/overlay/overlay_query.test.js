import assert from "node:assert/strict";
import { test } from "node:test";

import { parseOverlayQuery } from "../../../static/js/overlay/overlay_query.js";

const USUAL = ["boxes", "labels", "percentages", "second"];

for (const [search, parts] of [
  ["", USUAL],
  ["?show=bars", ["bars"]],
  ["?show=labels, bars", ["labels", "bars"]],
  ["?show=bars,boxes,labels,percentages", ["boxes", "labels", "percentages", "bars"]],
  ["?show=none", []],
]) {
  test(`"${search}" shows ${parts}`, () => {
    const query = parseOverlayQuery(search);
    assert.deepEqual([query.show, query.problems], [parts, []]);
  });
}

test("the live page's way to say mirrored is taken too", () => {
  for (const [said, isMirrored] of [
    ["1", true],
    ["0", false],
    ["off", false],
  ])
    assert.deepEqual(pick(parseOverlayQuery(`?mirror=${said}`)), { isMirrored, problems: [] });
});

const pick = ({ isMirrored, problems }) => ({ isMirrored, problems: [...problems] });

test("size and mirror are taken from the address", () => {
  const { scale, isMirrored, problems } = parseOverlayQuery("?scale=1.5&mirror=on");
  assert.deepEqual([scale, isMirrored, problems], [1.5, true, []]);
});

for (const search of [
  "?show=faces",
  "?show=",
  "?scale=0",
  "?scale=9",
  "?scale=",
  "?scale=big",
  "?mirror=yes",
]) {
  test(`"${search}" is told, and the usual holds`, () => {
    const query = parseOverlayQuery(search);
    assert.equal(query.problems.length, 1);
    assert.match(query.problems[0], /takes .*got /);
    assert.deepEqual([query.show, query.scale, query.isMirrored], [USUAL, 1, false]);
  });
}

test("of several parts those that are known are shown", () => {
  const query = parseOverlayQuery("?show=bars,hats");
  assert.deepEqual([query.show, query.problems.length], [["bars"], 1]);
});

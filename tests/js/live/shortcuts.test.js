import assert from "node:assert/strict";
import { test } from "node:test";

import { requestFor } from "../../../static/js/live/views/shortcuts.js";

const inside = (...tags) => ({
  closest: (selector) => tags.some((tag) => selector.split(", ").includes(tag)) || null,
});
const key = (name, changes = {}) => ({ key: name, target: inside("body"), ...changes });

for (const [name, request] of [
  [" ", "toggle"],
  ["m", "mirror-toggle"],
  ["M", "mirror-toggle"],
  ["t", "heatmap-toggle"],
  ["p", "pause-toggle"],
  ["C", "clip-toggle"],
  ["i", "pip-toggle"],
  ["?", "help"],
  ["x", undefined],
  ["Escape", undefined],
]) {
  test(`the key "${name}" asks for ${request}`, () => assert.equal(requestFor(key(name)), request));
}

test("keys with Control, Command or Alt belong to the browser", () => {
  for (const modifier of ["ctrlKey", "metaKey", "altKey"])
    assert.equal(requestFor(key("s", { [modifier]: true })), undefined);
});

test("a held key acts once", () => assert.equal(requestFor(key("m", { repeat: true })), undefined));

test("typing and choosing are left alone", () => {
  assert.equal(requestFor(key("m", { target: inside("input") })), undefined);
  assert.equal(requestFor(key("s", { target: inside("select") })), undefined);
});

test("Space on a button presses that button, other keys work there", () => {
  assert.equal(requestFor(key(" ", { target: inside("button") })), undefined);
  assert.equal(requestFor(key("m", { target: inside("button") })), "mirror-toggle");
});

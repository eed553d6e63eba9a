import assert from "node:assert/strict";
import { test } from "node:test";

import { AnnouncementThrottle } from "../../../static/js/shared/views/expression_announcer.js";

test("says the first text at once", () =>
  assert.equal(new AnnouncementThrottle().offer("happy", 0), "happy"));

test("says nothing while nothing changes", () => {
  const throttle = new AnnouncementThrottle();
  throttle.offer("happy", 0);
  assert.equal(throttle.offer("happy", 60_000), null);
});

test("says at most one text in three seconds, and then the one that holds now", () => {
  const throttle = new AnnouncementThrottle();
  const said = [];
  for (let ms = 0; ms <= 9000; ms += 40) {
    const text = throttle.offer(ms % 80 ? "happy" : `sad ${ms}`, ms);
    if (text) said.push([text, ms]);
  }
  assert.ok(said.length >= 3 && said.length <= 4);
  for (let i = 1; i < said.length; i += 1) assert.ok(said[i][1] - said[i - 1][1] >= 3000);
});

test("a change that went back within the pause is not said", () => {
  const throttle = new AnnouncementThrottle();
  throttle.offer("happy", 0);
  throttle.offer("sad", 1000);
  assert.equal(throttle.offer("happy", 4000), null);
});

test("after reset the same text is said again", () => {
  const throttle = new AnnouncementThrottle();
  throttle.offer("happy", 0);
  throttle.reset();
  assert.equal(throttle.offer("happy", 5000), "happy");
});

test("that nobody is there is said once it has lasted a second", () => {
  const throttle = new AnnouncementThrottle();
  assert.equal(throttle.offer("nobody", 0, true), null);
  assert.equal(throttle.offer("nobody", 999, true), null);
  assert.equal(throttle.offer("nobody", 1000, true), "nobody");
});

test("a face that is missed in single frames is not said to be gone", () => {
  const throttle = new AnnouncementThrottle();
  throttle.offer("happy", 0);
  for (let ms = 40; ms <= 9000; ms += 40) {
    const absent = ms % 200 === 0;
    assert.equal(throttle.offer(absent ? "nobody" : "happy", ms, absent), null);
  }
});

test("after reset the second begins again", () => {
  const throttle = new AnnouncementThrottle();
  throttle.offer("nobody", 0, true);
  throttle.reset();
  assert.equal(throttle.offer("nobody", 1500, true), null);
});

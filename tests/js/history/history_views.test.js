import assert from "node:assert/strict";
import { test } from "node:test";

import { joinLines, originOf, sharedRange } from "../../../static/js/history/alignment.js";
import { clampRange, formatOffset } from "../../../static/js/history/chart_options.js";
import { formatStart } from "../../../static/js/history/dates.js";
import { bridge, cellsOf, describeStrip } from "../../../static/js/history/strip.js";
import { unsureText } from "../../../static/js/history/views/emotion_shares.js";
import { describeRetention } from "../../../static/js/history/views/session_list.js";
import { describe } from "../../../static/js/live/views/recording_bar.js";
import { peopleOf, titlesOf } from "../../../static/js/history/people.js";
import { formatDuration, formatPercentage, sessionName } from "../../../static/js/shared/format.js";

test("an unsure share names the reason behind a third of it, and no lesser one", () => {
  assert.equal(unsureText(0.3, { dark: 0.2, cut: 0.05 }), "30%, mostly: too dark");
  assert.equal(unsureText(0.3, { dark: 0.01, turned: 0.15 }), "30%, mostly: turned away");
  assert.equal(unsureText(0.3, { dark: 0.05, cut: 0.02 }), "30%");
  assert.equal(unsureText(0, { dark: 0, cut: 0 }), "0%");
});

test("sharedRange shows all of every session, before zero too", () => {
  assert.deepEqual(
    sharedRange([
      { lengthS: 60, originS: 0 },
      { lengthS: 100, originS: 20 },
    ]),
    [-20, 80],
  );
  assert.deepEqual(sharedRange([{ lengthS: 0, originS: 0 }]), [0, 1]);
});

test("joined lines pass over the points of others and break in their own gaps", () => {
  const { atS, columns } = joinLines([
    { atS: [0, 2, 4], values: [0.1, 0.2, 0.3] },
    { atS: [1, 2.5, 6], values: [0.5, null, 0.6] },
  ]);
  assert.deepEqual(atS, [0, 1, 2, 2.5, 4, 6]);
  assert.deepEqual(columns[0], [0.1, undefined, 0.2, undefined, 0.3, undefined]);
  // All of the gap is a gap, whatever the other line has in it.
  assert.deepEqual(columns[1], [undefined, 0.5, null, null, null, 0.6]);
});

test("originOf is a marker's time, and the start without one", () => {
  const markers = [{ id: "a", at_s: 4 }];
  assert.deepEqual([originOf(markers, "a"), originOf(markers, ""), originOf([], "a")], [4, 0, 0]);
});

test("a zoomed window stays within the session and is never too short", () => {
  const domain = [0, 100];
  assert.deepEqual(clampRange([-10, 20], domain), [0, 30]);
  assert.deepEqual(clampRange([90, 120], domain), [70, 100]);
  assert.deepEqual(clampRange([50, 50.5], domain), [48.25, 52.25]);
  assert.deepEqual(clampRange([30, 10], domain), [10, 30]);
  assert.deepEqual(clampRange([-500, 500], domain), [0, 100]);
  assert.deepEqual(clampRange([0, 1], [0, 2]), [0, 2]);
});

test("times before an alignment have a minus", () => {
  assert.deepEqual(
    [formatOffset(-65), formatOffset(0), formatOffset(65)],
    ["−1:05", "0:00", "1:05"],
  );
});

test("durations read as clocks do", () => {
  assert.deepEqual([0, 7.9, 60, 750, 3723].map(formatDuration), [
    "0:00",
    "0:07",
    "1:00",
    "12:30",
    "1:02:03",
  ]);
  assert.deepEqual([formatDuration(NaN), formatDuration(-3)], ["–", "0:00"]);
});

test("a start is named by its day", () => {
  const now = new Date(2026, 4, 3, 9, 0);
  const at = (...parts) => formatStart(new Date(...parts).toISOString(), now);
  assert.match(at(2026, 4, 3, 0, 5), /^Today, /);
  assert.match(at(2026, 4, 2, 23, 55), /^Yesterday, /);
  assert.doesNotMatch(at(2026, 3, 1, 12, 0), /2026/);
  assert.match(at(2025, 3, 1, 12, 0), /2025/);
  assert.equal(formatStart("nonsense", now), "–");
});

test("stretches of time become cells, and what is outside is left out", () => {
  const stretches = [
    { from_s: 0, to_s: 5, label: "happy" },
    { from_s: 5, to_s: 6, label: "unsure" },
    { from_s: 50, to_s: 60, label: "sad" },
  ];
  const cells = cellsOf(stretches, { fromS: 0, toS: 10, parts: 5 });
  assert.deepEqual(cells, ["happy", "happy", "unsure", null, null]);
});

test("cells between two samples show what was before, longer silences stay empty", () => {
  assert.deepEqual(bridge(["happy", null, "sad", null, null, "sad"], 0.5), [
    "happy",
    "happy",
    "sad",
    "sad",
    "sad",
    "sad",
  ]);
  assert.deepEqual(bridge(["happy", null, "sad"], 5), ["happy", null, "sad"]);
  assert.deepEqual(bridge([null, "sad", null], 0.1), [null, "sad", null]);
  assert.deepEqual(bridge([], 0), []);
});

test("a session without a name is called by its day and time", () => {
  const started_at = "2026-11-30T12:05:00Z";
  const called = sessionName({ name: "", started_at });
  for (const part of ["Monday", "November", "30", "2026", ":05"])
    assert.ok(called.includes(part), called);
  assert.equal(sessionName({ name: "A", started_at }), "A");
  assert.equal(sessionName({ name: "", started_at: "" }), "Untitled session");
});

test("faces that were merged are one person, by name or number", () => {
  const face = (number, person, name = "") => ({
    face: number, first_s: number, last_s: number + 5, samples: 10, name, person,
  }); // prettier-ignore
  const faces = [face(1, 1, "Ann"), face(2, 2), face(3, 1, "Ann")];
  assert.deepEqual(
    peopleOf(faces).map(({ title, faces: all, samples, firstS, lastS }) => [title, all, samples, firstS, lastS]),
    [["Ann", [1, 3], 20, 1, 8], ["Face 2", [2], 10, 2, 7]],
  ); // prettier-ignore
  const titleOf = titlesOf(faces);
  assert.deepEqual([titleOf(1), titleOf(2), titleOf(9)], ["Ann", "Face 2", "Face 9"]);
});

test("a strip is told in words", () => {
  assert.equal(describeStrip([null, null]), "Nobody was seen");
  assert.equal(describeStrip(["happy", "happy", null]), "Mostly happy");
  assert.equal(
    describeStrip(["sad", "happy", "happy", "unsure", "happy", "sad"]),
    "Mostly happy, then sad and unsure",
  );
});

test("a share of time may be all of it", () => {
  assert.deepEqual(
    [formatPercentage(1), formatPercentage(0.5), formatPercentage(0)],
    ["100%", "50%", "0%"],
  );
});

test("retention is told in days, or that there is none", () => {
  assert.match(describeRetention(30), /30 days/);
  assert.match(describeRetention(1), /1 day after/);
  assert.match(describeRetention(0), /until you delete/);
});

test("the recorder says what is and what will be recorded", () => {
  const off = { state: "off", isWanted: true, isLive: false, finished: null };
  assert.match(describe(off), /next session is recorded/);
  assert.match(describe({ ...off, isWanted: false }), /not recorded/);
  assert.match(describe({ ...off, isLive: true }), /This session is not recorded/);
  assert.match(describe({ ...off, finished: "s" }), /saved/);
  assert.equal(describe({ ...off, state: "paused" }), "Paused");
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import {
  parseWatchState,
  parseWatchView,
  parseWatched,
} from "../../../static/js/shared/protocol.js";
import { describeWatched, WatcherCountView } from "../../../static/js/live/views/watcher_count.js";
import { describeMinute, meanShares } from "../../../static/js/watch/mean_shares.js";
import { describeFacts } from "../../../static/js/watch/views/watch_facts.js";
import { QUIET_MS, WatchSession } from "../../../static/js/watch/watch_session.js";

const EMOTIONS = ["happy", "sad"];
const FACE = {
  id: 1,
  box: [0.1, 0.2, 0.3, 0.4],
  scores: { happy: 0.9, sad: 0.1 },
  label: "happy",
  confidence: 0.9,
  sure: true,
};
const RAW_VIEW = { captured_ms: 5, size: [640, 480], faces: [FACE], people: 1 };
const JPEG = new ArrayBuffer(4);

test("a view is checked as a frame's answer is", () => {
  const view = parseWatchView(RAW_VIEW, undefined, EMOTIONS);
  assert.deepEqual([view.capturedMs, view.size, view.jpeg], [5, { width: 640, height: 480 }, null]);
  assert.equal(view.faces[0].label, "happy");
  assert.equal(parseWatchView(RAW_VIEW, JPEG, EMOTIONS).jpeg, JPEG);
});

for (const [name, raw, jpeg] of [
  ["no time", { ...RAW_VIEW, captured_ms: "now" }, undefined],
  ["no size", { ...RAW_VIEW, size: [640] }, undefined],
  ["a size of nothing", { ...RAW_VIEW, size: [640, 0] }, undefined],
  ["faces that are none", { ...RAW_VIEW, faces: [{}] }, undefined],
  ["faces that are no list", { ...RAW_VIEW, faces: null }, undefined],
  ["a picture that is a text", RAW_VIEW, "jpeg"],
]) {
  test(`a view with ${name} is refused`, () => {
    assert.throws(() => parseWatchView(raw, jpeg, EMOTIONS), { name: "ProtocolError" });
  });
}

test("what the host calls people is told once, and goes with the stream", async () => {
  const bus = new EventBus();
  const told = [];
  bus.on("names-changed", ({ names }) => told.push(Object.fromEntries(names)));
  const session = new WatchSession({ bus, decode: async () => null, now: () => 0 });
  const state = { isLive: true, hasVideo: false, name: "", watchers: 1 };
  const see = (...faces) =>
    session.viewCame(parseWatchView({ ...RAW_VIEW, faces }, undefined, EMOTIONS));
  session.stateCame(state);
  await see(FACE);
  await see({ ...FACE, name: "Ann" });
  await see({ ...FACE, name: "Ann" });
  await see();
  assert.deepEqual(told, [{ 1: "Ann" }]);
  await see(FACE);
  assert.deepEqual(told.at(-1), {});
  await see({ ...FACE, name: "Bob" });
  session.stateCame({ ...state, isLive: false });
  assert.deepEqual(told.slice(2), [{ 1: "Bob" }, {}]);
});

test("a second expression and a name are checked", () => {
  for (const wrong of [{ second: "proud" }, { second: null }, { name: 7 }, { name: "" }])
    assert.throws(
      () => parseWatchView({ ...RAW_VIEW, faces: [{ ...FACE, ...wrong }] }, undefined, EMOTIONS),
      { name: "ProtocolError" },
    );
  const [face] = parseWatchView(
    { ...RAW_VIEW, faces: [{ ...FACE, second: "sad", name: "Ann" }] },
    undefined,
    EMOTIONS,
  ).faces;
  assert.deepEqual([face.second, face.name], ["sad", "Ann"]);
});

test("state and watched are checked", () => {
  const state = parseWatchState({ live: true, video: false, name: "For the class", watchers: 2 });
  assert.deepEqual(state, { isLive: true, hasVideo: false, name: "For the class", watchers: 2 });
  for (const raw of [
    null,
    {},
    { live: 1, video: false, watchers: 0 },
    { live: true, video: false, watchers: -1 },
  ]) {
    assert.throws(() => parseWatchState(raw), { name: "ProtocolError" });
  }
  for (const raw of [null, { watchers: 1.5, video: true }, { watchers: 1 }]) {
    assert.throws(() => parseWatched(raw), { name: "ProtocolError" });
  }
});

test("who is watched is told how many see what", () => {
  assert.equal(describeWatched({ watchers: 0, hasVideo: true }), "");
  assert.equal(
    describeWatched({ watchers: 1, hasVideo: true }),
    "1 person is watching, with your picture",
  );
  assert.equal(
    describeWatched({ watchers: 2, hasVideo: false }),
    "2 people are watching, with boxes and labels only",
  );
});

test("the bar stands as long as somebody watches, and says again only what is new", () => {
  const bus = new EventBus();
  const bar = { dataset: {} };
  const said = [];
  const text = {
    get textContent() {
      return said.at(-1) ?? "";
    },
    set textContent(value) {
      said.push(value);
    },
  };
  new WatcherCountView({ bar, text }, bus);
  for (const watchers of [1, 1, 2]) bus.emit("watched-changed", { watchers, hasVideo: true });
  assert.equal(bar.dataset.watched, "video");
  assert.equal(said.length, 2);
  bus.emit("connection-changed", { state: "reconnecting" });
  assert.deepEqual([bar.dataset.watched, said.at(-1)], ["nobody", ""]);
  bus.emit("connection-changed", { state: "connected" });
  bus.emit("watched-changed", { watchers: 2, hasVideo: false });
  assert.equal(bar.dataset.watched, "numbers");
});

/** A session whose pictures are decoded by hand. */
function build() {
  const bus = new EventBus();
  const heard = [];
  for (const type of [
    "session-changed",
    "watch-changed",
    "result",
    "picture",
    "video-frame",
    "frame-size",
  ]) {
    bus.on(type, (detail) => heard.push([type, detail]));
  }
  const decoding = [];
  let nowMs = 0;
  const decode = () => new Promise((resolve, reject) => decoding.push({ resolve, reject }));
  const session = new WatchSession({ bus, decode, now: () => nowMs });
  return {
    session,
    decoding,
    pass: (ms) => (nowMs += ms),
    states: () =>
      heard.filter(([type]) => type === "watch-changed").map(([, watched]) => watched.state),
    of: (type) => heard.filter(([name]) => name === type).map(([, detail]) => detail),
    last: () => heard.findLast(([type]) => type === "watch-changed")[1],
  };
}

const LIVE = { isLive: true, hasVideo: true, name: "For the class", watchers: 1 };
const VIEW = { capturedMs: 5, size: { width: 640, height: 480 }, faces: [FACE], jpeg: null };
const bitmap = (name) => ({
  name,
  isClosed: false,
  close() {
    this.isClosed = true;
  },
});

test("waits for the host, shows what comes, and waits again", async () => {
  const { session, last, of } = build();
  session.stateCame({ ...LIVE, isLive: false });
  assert.equal(last().state, "waiting");
  await session.viewCame(VIEW);
  assert.deepEqual(of("result"), [], "a late view of a stream that is over");
  session.stateCame(LIVE);
  await session.viewCame(VIEW);
  assert.deepEqual([last().state, last().people], ["live", 1]);
  assert.deepEqual([of("result").length, of("video-frame")[0].capturedMs], [1, 5]);
  session.stateCame({ ...LIVE, isLive: false });
  assert.deepEqual([last().state, last().people], ["waiting", 0]);
  assert.deepEqual(
    of("session-changed").map(({ state }) => state),
    ["live", "idle"],
  );
});

test("a picture goes with its own boxes, and one that is decoded late is dropped", async () => {
  const { session, decoding, of } = build();
  session.stateCame(LIVE);
  const older = session.viewCame({ ...VIEW, capturedMs: 1, jpeg: JPEG });
  const newer = session.viewCame({ ...VIEW, capturedMs: 2, jpeg: JPEG });
  const [late, shown] = [bitmap("late"), bitmap("shown")];
  decoding[1].resolve(shown);
  await newer;
  decoding[0].resolve(late);
  await older;
  assert.deepEqual(
    of("result").map(({ capturedMs }) => capturedMs),
    [2],
  );
  assert.deepEqual(
    of("picture").map((each) => each.bitmap?.name),
    ["shown"],
  );
  assert.ok(late.isClosed);
});

test("a picture that cannot be decoded leaves the boxes", async () => {
  const { session, decoding, of } = build();
  session.stateCame(LIVE);
  const coming = session.viewCame({ ...VIEW, jpeg: JPEG });
  decoding[0].reject(new Error("damaged"));
  await coming;
  assert.equal(of("result").length, 1);
  assert.equal(of("picture").at(-1).bitmap, null);
});

test("the picture goes when the host no longer shares it, even one on its way", async () => {
  const { session, decoding, of } = build();
  session.stateCame(LIVE);
  const coming = session.viewCame({ ...VIEW, jpeg: JPEG });
  session.stateCame({ ...LIVE, hasVideo: false });
  decoding[0].resolve(bitmap("secret"));
  await coming;
  assert.deepEqual(
    of("picture").map((each) => each.bitmap),
    [null, null],
  );
});

test("a stream without results is not called live", async () => {
  const { session, last, pass } = build();
  session.stateCame(LIVE);
  await session.viewCame(VIEW);
  pass(QUIET_MS + 1);
  session.tick();
  assert.equal(last().state, "quiet");
  await session.viewCame(VIEW);
  assert.equal(last().state, "live");
});

test("a lost connection is not live until the server says so again", () => {
  const { session, last } = build();
  session.stateCame(LIVE);
  session.connectionChanged({ state: "reconnecting" });
  assert.equal(last().state, "connecting");
  session.connectionChanged({ state: "connected" });
  assert.equal(last().state, "connecting");
  session.stateCame(LIVE);
  assert.equal(last().state, "live");
});

test("what is over stays over, and shows no more", async () => {
  const { session, last, of } = build();
  session.stateCame(LIVE);
  session.end({ title: "The host withdrew this link", text: "", steps: [] });
  session.stateCame(LIVE);
  await session.viewCame(VIEW);
  session.connectionChanged({ state: "over" });
  assert.equal(last().state, "over");
  assert.deepEqual(of("result"), []);
  assert.equal(of("picture").at(-1).bitmap, null);
});

test("a minute is the mean of all faces, and its words name the two largest", () => {
  const sad = { ...FACE, scores: { happy: 0.1, sad: 0.9 } };
  assert.equal(meanShares([], EMOTIONS), null);
  assert.deepEqual(meanShares([FACE, sad], EMOTIONS), { happy: 0.5, sad: 0.5 });
  assert.equal(describeMinute([null, null], EMOTIONS), "Nobody was in view");
  assert.equal(describeMinute([{ happy: 0.98, sad: 0.02 }, null], EMOTIONS), "happy 98%");
  assert.equal(describeMinute([{ happy: 0.3, sad: 0.7 }], EMOTIONS), "sad 70%, happy 30%");
});

test("facts that are not known are dashes", () => {
  const watched = { state: "live", people: 2, watchers: 3, hasVideo: false };
  assert.deepEqual(describeFacts(watched), { people: "2", watchers: "3", video: "not shared" });
  assert.deepEqual(describeFacts({ ...watched, state: "waiting", hasVideo: true }), {
    people: "–",
    watchers: "3",
    video: "shared",
  });
  assert.deepEqual(describeFacts({ ...watched, state: "over" }), {
    people: "–",
    watchers: "–",
    video: "–",
  });
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { CameraError } from "../../../static/js/shared/errors.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";
import { LiveSession } from "../../../static/js/live/live_session.js";

/** A session whose camera answers when the test says so. */
function build() {
  const bus = new EventBus();
  const states = [];
  const calls = [];
  const opened = [];
  bus.on("session-changed", ({ state, problem }) => states.push(problem ? problem.kind : state));
  const log = (name) => () => calls.push(name);
  const camera = {
    deviceId: "",
    isUserFacing: true,
    open: (request) =>
      new Promise((resolve, reject) => opened.push({ ...request, resolve, reject })),
    close: log("camera closed"),
    list: async () => [{ deviceId: "a", label: "A" }],
  };
  const film = {
    open: () => new Promise((resolve, reject) => opened.push({ isFilm: true, resolve, reject })),
    close: log("film closed"),
  };
  const session = new LiveSession({
    camera,
    film,
    clock: { start: log("clock started"), stop: log("clock stopped") },
    pump: { start: log("pump started"), stop: log("pump stopped") },
    socket: { connect: log("connected"), sendStop: log("stop sent") },
    bus,
    deviceId: "remembered",
  });
  return { session, bus, states, calls, opened };
}

test("start opens the remembered camera and then begins to send", async () => {
  const { session, states, calls, opened } = build();
  const starting = session.start();
  assert.equal(opened[0].deviceId, "remembered");
  assert.deepEqual(states, ["starting"]);
  opened[0].resolve({});
  await starting;
  assert.deepEqual(states, ["starting", "live"]);
  assert.ok(session.isActive);
  assert.deepEqual(calls, ["connected", "clock started", "pump started"]);
});

test("stop ends the camera, the sending and the server's stream", async () => {
  const { session, states, calls, opened } = build();
  const starting = session.start();
  opened[0].resolve({});
  await starting;
  calls.length = 0;
  session.stop();
  assert.deepEqual(calls, [
    "clock stopped",
    "pump stopped",
    "camera closed",
    "film closed",
    "stop sent",
  ]);
  assert.equal(states.at(-1), "idle");
});

test("stop while the browser asks for permission stays stopped", async () => {
  const { session, states, opened } = build();
  const starting = session.start();
  session.stop();
  opened[0].resolve(null);
  await starting;
  assert.deepEqual(states, ["starting", "idle"]);
});

test("a refusal after stop is no problem any more", async () => {
  const { session, states, opened } = build();
  const starting = session.start();
  session.stop();
  opened[0].reject(new CameraError("denied"));
  await starting;
  assert.deepEqual(states, ["starting", "idle"]);
});

test("a camera's failure is named, and the other cameras are offered", async () => {
  const { session, bus, states, opened } = build();
  const offered = [];
  bus.on("cameras-changed", ({ cameras }) => offered.push(cameras.length));
  const starting = session.start();
  opened[0].reject(new CameraError("busy"));
  await starting;
  assert.deepEqual(states, ["starting", "busy"]);
  assert.deepEqual(offered, [1]);
  assert.ok(!session.isActive);
});

test("an unforeseen failure is a problem too", async () => {
  const { session, states, opened } = build();
  const starting = session.start();
  opened[0].reject(new Error("?"));
  await starting;
  assert.deepEqual(states, ["starting", "unknown"]);
});

test("a camera that goes by itself stops the stream and says so", async () => {
  const { session, states, calls, opened } = build();
  const starting = session.start();
  opened[0].resolve({});
  await starting;
  opened[0].onEnded();
  assert.equal(states.at(-1), "ended");
  assert.equal(calls.at(-1), "stop sent");
});

test("another camera replaces the running one, and waits for Start otherwise", async () => {
  const { session, opened } = build();
  await session.selectCamera("second");
  assert.equal(opened.length, 0);
  const starting = session.start();
  opened[0].resolve({});
  await starting;
  const switching = session.selectCamera("third");
  assert.deepEqual(
    opened.map(({ deviceId }) => deviceId),
    ["second", "third"],
  );
  opened[1].resolve({});
  await switching;
  assert.ok(session.isActive);
});

test("a last goodbye turns the camera off, says why and stays so", async () => {
  const { session, states, calls, opened } = build();
  const starting = session.start();
  opened[0].resolve({});
  await starting;
  calls.length = 0;
  session.end({ kind: "link_revoked", isFinal: true });
  assert.ok(calls.includes("camera closed") && calls.includes("pump stopped"));
  await session.start();
  assert.deepEqual(
    [states.at(-1), session.isActive, session.isOver, opened.length],
    ["link_revoked", false, true, 1],
  );
});

test("a camera that is allowed after the last goodbye stays off", async () => {
  const { session, states, opened } = build();
  const starting = session.start();
  session.end({ kind: "sharing_stopped", isFinal: true });
  opened[0].resolve({});
  await starting;
  assert.equal(states.at(-1), "sharing_stopped");
});

test("the film plays in the camera's place, and a choice of a camera does not end it", async () => {
  const { session, bus, calls, opened } = build();
  const sessions = [];
  bus.on("session-changed", (session) => sessions.push(session));
  const starting = session.start({ isFilm: true });
  opened[0].resolve(true);
  await starting;
  assert.ok(opened[0].isFilm && session.isActive);
  assert.deepEqual(calls, ["connected", "clock started", "pump started"]);
  assert.deepEqual(
    sessions.map(({ state, isFilm, stream, isUserFacing }) => [
      state,
      isFilm,
      stream,
      isUserFacing,
    ]),
    [
      ["starting", true, null, true],
      ["live", true, null, false],
    ],
  );
  await session.selectCamera("second");
  assert.equal(opened.length, 1);
  session.stop();
  assert.equal(sessions.at(-1).isFilm, false);
  session.start();
  assert.equal(opened[1].deviceId, "second");
});

test("a film that cannot be played is a problem of its own", async () => {
  const { session, states, opened } = build();
  const starting = session.start({ isFilm: true });
  opened[0].reject(new CameraError("film"));
  await starting;
  assert.deepEqual(states, ["starting", "film"]);
});

test("a pause holds clock and pump, and leaves camera and stream as they are", async () => {
  const { session, bus, states, calls, opened } = build();
  const told = [];
  bus.on("pause-changed", ({ isPaused }) => told.push(isPaused));
  session.pause(true);
  assert.deepEqual(told, [], "nothing runs yet");
  const starting = session.start();
  opened[0].resolve({});
  await starting;
  calls.length = 0;
  session.pause(true);
  session.pause(true);
  session.pause(false);
  assert.deepEqual(calls, ["clock stopped", "pump stopped", "clock started", "pump started"]);
  assert.deepEqual([told, states.at(-1)], [[true, false], "live"]);
});

test("what ends the run ends its pause", async () => {
  for (const end of [({ session }) => session.stop(), ({ opened }) => opened[0].onEnded()]) {
    const built = build();
    const told = [];
    built.bus.on("pause-changed", ({ isPaused }) => told.push(isPaused));
    const starting = built.session.start();
    built.opened[0].resolve({});
    await starting;
    built.session.pause(true);
    end(built);
    assert.deepEqual([told, built.session.isPaused], [[true, false], false]);
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { Camera } from "../../../static/js/live/camera.js";

const named = (name) => Object.assign(new Error(name), { name });

function fakeStream() {
  const track = new EventTarget();
  Object.assign(track, {
    stopped: false,
    stop: () => (track.stopped = true),
    getSettings: () => ({ deviceId: "cam" }),
  });
  return { track, getTracks: () => [track], getVideoTracks: () => [track] };
}

function build(answers) {
  const asked = [];
  const mediaDevices = {
    getUserMedia: async (constraints) => {
      asked.push(constraints);
      const answer = await answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { asked, camera: new Camera({ mediaDevices, isSecureContext: true }) };
}

const open = (camera, onEnded = () => {}) => camera.open({ deviceId: "", onEnded });

test("without a secure context the browser is not even asked", async () => {
  const camera = new Camera({ mediaDevices: undefined, isSecureContext: false });
  await assert.rejects(open(camera), { kind: "insecure" });
});

test("a browser without getUserMedia is unsupported", async () => {
  await assert.rejects(open(new Camera({ mediaDevices: undefined, isSecureContext: true })), {
    kind: "unsupported",
  });
});

test("looser constraints are tried when the first are too much", async () => {
  const stream = fakeStream();
  const { camera, asked } = build([named("OverconstrainedError"), stream]);
  assert.equal(await open(camera), stream);
  assert.equal(asked[1].video, true);
});

test("a camera that accepts nothing is overconstrained", async () => {
  const { camera } = build([1, 2, 3].map(() => named("OverconstrainedError")));
  await assert.rejects(open(camera), { kind: "overconstrained" });
});

test("a refusal is not asked about again", async () => {
  const { camera, asked } = build([named("NotAllowedError")]);
  await assert.rejects(open(camera), { kind: "denied" });
  assert.equal(asked.length, 1);
});

test("a stream that comes after close is stopped and not handed out", async () => {
  const stream = fakeStream();
  let give;
  const { camera } = build([new Promise((resolve) => (give = resolve))]);
  const opening = open(camera);
  camera.close();
  give(stream);
  assert.equal(await opening, null);
  assert.ok(stream.track.stopped);
});

test("a camera that goes by itself is told, once", async () => {
  const stream = fakeStream();
  const { camera } = build([stream]);
  let ended = 0;
  await open(camera, () => (ended += 1));
  stream.track.dispatchEvent(new Event("ended"));
  stream.track.dispatchEvent(new Event("ended"));
  assert.equal(ended, 1);
});

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { ClipRecorder, MAX_CLIP_BYTES, MAX_CLIP_S } from "../../../static/js/live/clip.js";
import { keepClips } from "../../../static/js/live/clip_messages.js";

/** A browser's recorder, whose chunks the test gives. */
class FakeRecorder {
  static types = ["video/webm;codecs=vp8", "video/webm"];
  static made = [];
  static isTypeSupported = (type) => FakeRecorder.types.includes(type);
  state = "inactive";

  constructor(stream, options) {
    Object.assign(this, { stream, options });
    FakeRecorder.made.push(this);
  }

  start() {
    this.state = "recording";
  }

  pause() {
    this.state = "paused";
  }

  resume() {
    this.state = "recording";
  }

  stop() {
    this.state = "inactive";
    queueMicrotask(() => {
      this.give(10);
      this.onstop();
    });
  }

  give(size) {
    this.ondataavailable({ data: size < 1e6 ? new Blob(["x".repeat(size)]) : { size } });
  }
}

function build({ Recorder = FakeRecorder, hasPicture = true } = {}) {
  const bus = new EventBus();
  const clock = { ms: 0 };
  const [wanted, states, ended, saved, messages] = [[], [], [], [], []];
  const track = { isStopped: false, stop: () => (track.isStopped = true) };
  const composition = {
    want: (user, isWanted) => {
      wanted.push(isWanted);
      return hasPicture;
    },
    canvas: { captureStream: () => ({ getTracks: () => [track] }) },
  };
  bus.on("clip-changed", (clip) => states.push(clip));
  bus.on("clip-ended", (clip) => ended.push(clip));
  bus.on("message", (message) => messages.push(message));
  keepClips(bus, (blob, name) => saved.push({ blob, name }));
  const deps = { composition, Recorder, bus, now: () => clock.ms };
  const clip = new ClipRecorder(/** @type {any} */ (deps));
  const told = { wanted, states, ended, saved, messages, last: () => states.at(-1) };
  return { clip, bus, clock, track, ...told, recorder: () => FakeRecorder.made.at(-1) };
}

function timed(name, body) {
  test(name, async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      await body();
    } finally {
      mock.timers.reset();
    }
  });
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

timed("a clip runs until it is stopped, and then lies in the downloads", async () => {
  const { clip, clock, track, last, ended, saved, messages, recorder, wanted } = build();
  clip.start();
  assert.deepEqual(
    [last().state, recorder().options.mimeType],
    ["recording", FakeRecorder.types[0]],
  );
  clock.ms = 4000;
  mock.timers.tick(500);
  assert.equal(last().seconds, 4);
  recorder().give(1000);
  clip.stop("asked");
  await settle();
  assert.deepEqual([last().state, ended[0].seconds, ended[0].blob.size], ["off", 4, 1010]);
  assert.equal(ended[0].blob.type, "video/webm");
  assert.match(saved[0].name, /^expressions-.*\.webm$/);
  assert.match(messages[0].text, /^expressions-.* \(0:04, 1\.0 kB\) is in your downloads/);
  assert.deepEqual([track.isStopped, wanted], [true, [true, false]]);
});

timed("MP4 is taken where the browser writes what plays everywhere", async () => {
  FakeRecorder.types.push("video/mp4;codecs=avc1.42E01F");
  try {
    const { clip, ended } = build();
    clip.start();
    clip.stop("asked");
    await settle();
    assert.deepEqual([ended[0].ending, ended[0].blob.type], ["mp4", "video/mp4"]);
  } finally {
    FakeRecorder.types.pop();
  }
});

timed("while it is held for any cause the clock stands, and so does the recorder", async () => {
  const { clip, clock, last, recorder } = build();
  clip.start();
  clock.ms = 2000;
  clip.hold("pause", true);
  clip.hold("hidden", true);
  clock.ms = 50_000;
  clip.hold("pause", false);
  assert.deepEqual([last().state, recorder().state], ["paused", "paused"]);
  clip.hold("hidden", false);
  assert.deepEqual([last().state, recorder().state], ["recording", "recording"]);
  clock.ms = 51_000;
  mock.timers.tick(500);
  assert.equal(last().seconds, 3);
});

timed("one that begins while it is paused waits", async () => {
  const { clip, clock, last, recorder } = build();
  clip.hold("pause", true);
  clip.start();
  clock.ms = 9000;
  mock.timers.tick(500);
  assert.deepEqual([last().state, last().seconds, recorder().state], ["paused", 0, "paused"]);
});

timed("the longest and the largest end by themselves, and say so", async () => {
  const long = build();
  long.clip.start();
  long.clock.ms = (MAX_CLIP_S + 5) * 1000;
  mock.timers.tick(500);
  await settle();
  assert.deepEqual([long.ended[0].reason, long.ended[0].seconds], ["time", MAX_CLIP_S]);
  assert.match(long.messages[0].text, /10 minutes are the longest/);
  const large = build();
  large.clip.start();
  large.recorder().give(MAX_CLIP_BYTES - 1);
  assert.equal(large.clip.isOn && large.recorder().state, "recording");
  large.recorder().give(10);
  assert.equal(large.recorder().state, "inactive");
});

timed("what there is survives the camera's end and a failing recorder", async () => {
  for (const [reason, end] of [
    ["stream", ({ clip }) => clip.stop("stream")],
    ["error", ({ recorder }) => recorder().onerror()],
  ]) {
    const built = build();
    built.clip.start();
    built.recorder().give(500);
    end(built);
    await settle();
    assert.deepEqual([built.ended[0].reason, built.saved.length], [reason, 1]);
    assert.match(built.messages[0].text, /^It ended /);
  }
});

timed("an empty clip is an error and no file", async () => {
  class Refusing extends FakeRecorder {
    start() {
      throw new DOMException("no encoder", "NotSupportedError");
    }
  }
  const { clip, saved, messages, last } = build({ Recorder: Refusing });
  clip.start();
  assert.deepEqual([saved, messages[0].tone, last().state], [[], "error", "off"]);
});

timed("without a recorder or a format the browser is said to have none", async () => {
  class Poor extends FakeRecorder {
    static isTypeSupported = () => false;
  }
  for (const Recorder of [null, Poor]) {
    const { clip, last } = build({ Recorder });
    clip.tell();
    clip.start();
    assert.match(last().problem, /cannot record/);
    assert.ok(!clip.isOn);
  }
});

timed("before the first picture nothing begins", async () => {
  const { clip } = build({ hasPicture: false });
  clip.start();
  assert.ok(!clip.isOn);
});

timed("who comes back to the tab is told that the clip has a gap", async () => {
  const { clip, bus, messages } = build();
  bus.emit("sight-changed", { isHidden: true });
  bus.emit("sight-changed", { isHidden: false });
  assert.deepEqual(messages, []);
  clip.start();
  bus.emit("sight-changed", { isHidden: true });
  bus.emit("sight-changed", { isHidden: false });
  assert.match(messages[0].text, /not in it/);
});

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { FramePump } from "../../../static/js/live/frame_pump.js";

const OPTIONS = { emotions: ["happy", "sad"], maxFrameBytes: 1000, maxFps: 30, maxInFlight: 8 };

/** A pump whose server answers when the test says so. */
function build({ frameBytes = 100 } = {}) {
  const bus = new EventBus();
  const sent = [];
  const events = [];
  const records = [];
  const clock = { ms: 0 };
  for (const type of ["result", "frame-dropped", "frame-refused", "message"]) {
    bus.on(type, (detail) => events.push({ type, ...detail }));
  }
  const transport = {
    isConnected: true,
    sendFrame: (header) => new Promise((resolve, reject) => sent.push({ header, resolve, reject })),
  };
  const controller = {
    settings: { longestSide: 640, quality: 0.8, fps: 30, inFlight: 2 },
    recordResult: (timing) => records.push(timing),
    recordDrop: (by) => records.push(by),
    recordTooLarge: () => records.push("too-large"),
    recordBlocked: () => records.push("blocked"),
    forget: () => {},
  };
  const encoder = {
    encode: async () => ({ bytes: new ArrayBuffer(frameBytes), width: 640, height: 480 }),
  };
  const pump = new FramePump({
    encoder,
    transport,
    controller,
    bus,
    options: OPTIONS,
    now: () => clock.ms,
  });
  pump.start();
  return { pump, bus, sent, events, records, clock, transport, controller, encoder };
}

async function settle() {
  for (let i = 0; i < 4; i += 1) await turn();
}

async function offer({ pump, clock }, ms) {
  clock.ms = ms;
  pump.offer({ capturedMs: ms });
  await settle();
}

const ack = (seq, changes = {}) => ({
  seq,
  faces: [],
  timings_ms: { total: 5 },
  dropped: null,
  ...changes,
});

async function answer(setup, index, raw) {
  const { header, resolve } = setup.sent[index];
  resolve(raw ?? ack(header.seq));
  await settle();
}

const timeout = () => Object.assign(new Error("late"), { name: "AckTimeoutError" });

test("sends the header of the wire and reports the answer with its latency", async () => {
  const setup = build();
  await offer(setup, 100);
  assert.deepEqual(setup.sent[0].header, { seq: 0, captured_ms: 100 });
  setup.clock.ms = 150;
  await answer(setup, 0);
  const [result] = setup.events;
  assert.equal(result.type, "result");
  assert.equal(result.latencyMs, 50);
  assert.deepEqual(result.frame, {
    width: 640,
    height: 480,
    bytes: 100,
    quality: 0.8,
    fps: 30,
    inFlight: 2,
    encodeMs: 0,
  });
  assert.deepEqual(setup.records, [
    { roundTripMs: 50, waitMs: 0, serverMs: 5, encodeMs: 0, bytes: 100 },
  ]);
});

test("asks for heat maps from when they are wanted until they are not", async () => {
  const setup = build();
  const maps = {
    side: 1,
    corners: [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ],
    values: {},
    method: "cam",
  };
  for (const isWanted of [true, false]) {
    setup.pump.setHeatmap(isWanted);
    await offer(setup, isWanted ? 100 : 200);
    const face = {
      id: 1,
      box: [0, 0, 1, 1],
      scores: {},
      label: "happy",
      confidence: 1,
      sure: true,
    };
    for (const emotion of OPTIONS.emotions) [face.scores[emotion], maps.values[emotion]] = [0, [7]];
    const at = isWanted ? 0 : 1;
    await answer(
      setup,
      at,
      ack(at, {
        faces: [{ ...face, label: OPTIONS.emotions[0], ...(isWanted ? { heatmap: maps } : {}) }],
      }),
    );
  }
  assert.deepEqual(
    setup.sent.map(({ header }) => header),
    [
      { seq: 0, captured_ms: 100, heatmap: true },
      { seq: 1, captured_ms: 200 },
    ],
  );
  const results = setup.events.filter(({ type }) => type === "result");
  assert.deepEqual(
    results.map(({ faces }) => faces[0].heatmap?.values[OPTIONS.emotions[0]]),
    [[7], undefined],
  );
});

test("never has more than maxInFlight unanswered", async () => {
  const setup = build();
  for (let ms = 0; ms < 1000; ms += 33) await offer(setup, ms);
  assert.equal(setup.sent.length, 2);
});

test("a free slot takes the newest frame, not the oldest that waited", async () => {
  const setup = build();
  for (const ms of [0, 40, 80, 120, 160]) await offer(setup, ms);
  await answer(setup, 0);
  assert.deepEqual(
    setup.sent.map(({ header }) => header.captured_ms),
    [0, 40, 160],
  );
  await answer(setup, 1);
  assert.equal(setup.sent.length, 3, "the frames in between are gone");
});

test("at the server's bound the next frame is encoded before there is room for it", async () => {
  const setup = build();
  const encoded = [];
  const { encode } = setup.encoder;
  setup.encoder.encode = async (settings) => {
    encoded.push(setup.clock.ms);
    return encode(settings);
  };
  setup.controller.settings.inFlight = OPTIONS.maxInFlight;
  for (let i = 0; i <= 9; i += 1) await offer(setup, 40 * i);
  assert.equal(setup.sent.length, 8, "no more than the server allows are unanswered");
  assert.deepEqual(encoded.slice(8), [320]);
  assert.ok(setup.records.includes("blocked"));
  await answer(setup, 0);
  assert.equal(setup.sent[8].header.captured_ms, 320);
  assert.deepEqual(encoded.slice(8), [320, 360], "and the one after it");
  await offer(setup, 440);
  await answer(setup, 1);
  assert.equal(setup.sent[9].header.captured_ms, 440, "not the one that waited too long");
});

test("an encoded frame that waits for room is not sent after a stop or a time-out", async () => {
  for (const end of [({ pump }) => pump.stop(), ({ sent }) => sent[0].reject(timeout())]) {
    const setup = build();
    setup.controller.settings.inFlight = OPTIONS.maxInFlight;
    for (let i = 0; i <= 8; i += 1) await offer(setup, 40 * i);
    end(setup);
    await settle();
    assert.equal(setup.sent.length, 8);
  }
});

test("frames faster than the rate are skipped", async () => {
  const setup = build();
  setup.controller.settings.fps = 10;
  for (let ms = 0; ms < 1000; ms += 20) {
    await offer(setup, ms);
    if (setup.sent.length > 0) await answer(setup, setup.sent.length - 1);
  }
  assert.equal(setup.sent.length, 10);
});

test("a rate that the camera's does not divide is still kept on average", async () => {
  const setup = build();
  setup.controller.settings.fps = 20;
  for (let i = 0; i < 300; i += 1) {
    await offer(setup, i * (1000 / 30));
    if (setup.sent.length > 0) await answer(setup, setup.sent.length - 1);
  }
  assert.ok(Math.abs(setup.sent.length - 200) <= 2, `${setup.sent.length} in ten seconds`);
});

test("a time-out counts as dropped and frees its slot", async () => {
  const setup = build();
  await offer(setup, 0);
  setup.sent[0].reject(timeout());
  await settle();
  assert.deepEqual(setup.events, [{ type: "frame-dropped", seq: 0, reason: "timeout" }]);
  await offer(setup, 3000);
  assert.equal(setup.sent.length, 2);
});

test("after a time-out one frame at a time is sent until the server answers", async () => {
  const setup = build();
  await offer(setup, 0);
  setup.sent[0].reject(timeout());
  await settle();
  await offer(setup, 3000);
  await offer(setup, 3040);
  assert.equal(setup.sent.length, 2);
  await answer(setup, 1);
  await offer(setup, 3080);
  await offer(setup, 3120);
  assert.equal(setup.sent.length, 4);
});

test("nothing is sent or kept while disconnected, so nothing is replayed", async () => {
  const setup = build();
  await offer(setup, 0);
  await offer(setup, 40);
  await offer(setup, 80);
  setup.transport.isConnected = false;
  setup.pump.connectionChanged();
  for (const { reject } of setup.sent) reject(new Error("lost"));
  await settle();
  await offer(setup, 120);
  setup.transport.isConnected = true;
  setup.pump.connectionChanged();
  await settle();
  assert.equal(setup.sent.length, 2);
  await offer(setup, 2000);
  assert.deepEqual(setup.sent[2].header, { seq: 2, captured_ms: 2000 }, "seq goes on");
  assert.deepEqual(
    setup.events.map(({ reason }) => reason),
    ["disconnected", "disconnected"],
  );
});

test("a connection lost while encoding sends nothing", async () => {
  const setup = build();
  setup.clock.ms = 0;
  setup.pump.offer({ capturedMs: 0 });
  setup.transport.isConnected = false;
  await settle();
  assert.equal(setup.sent.length, 0);
});

test("a hidden page sends nothing, and a shown one only new frames", async () => {
  const setup = build();
  setup.pump.setHidden(true);
  await offer(setup, 0);
  setup.pump.setHidden(false);
  await settle();
  assert.equal(setup.sent.length, 0);
  await offer(setup, 500);
  assert.equal(setup.sent[0].header.captured_ms, 500);
});

test("an answer that comes after Stop is not shown", async () => {
  const setup = build();
  await offer(setup, 0);
  setup.pump.stop();
  await answer(setup, 0);
  assert.deepEqual(setup.events, []);
});

test("frames of before Stop still count as in flight after Start", async () => {
  const setup = build();
  await offer(setup, 0);
  await offer(setup, 40);
  setup.pump.stop();
  setup.pump.start();
  await offer(setup, 80);
  assert.equal(setup.sent.length, 2);
});

test("an answer that was overtaken is not shown", async () => {
  const setup = build();
  await offer(setup, 0);
  await offer(setup, 40);
  await answer(setup, 1);
  await answer(setup, 0);
  assert.deepEqual(
    setup.events.map(({ type, seq }) => [type, seq]),
    [
      ["result", 1],
      ["frame-dropped", 0],
    ],
  );
});

test("a frame that the server dropped lowers the rate and is no result", async () => {
  const setup = build();
  await offer(setup, 0);
  await answer(setup, 0, ack(0, { dropped: "newer_frame" }));
  assert.deepEqual(setup.events, [{ type: "frame-dropped", seq: 0, reason: "newer_frame" }]);
  assert.deepEqual(setup.records, ["server"]);
});

test("a refusal is passed on", async () => {
  const setup = build();
  const error = { code: "bad_frame", message: "Not a JPEG.", retryable: false };
  await offer(setup, 0);
  await answer(setup, 0, { seq: 0, error });
  assert.deepEqual(setup.events, [{ type: "frame-refused", seq: 0, error }]);
});

test("a server that refuses is asked less and less often, until it answers", async () => {
  const setup = build();
  const error = { code: "server_full", message: "Full.", retryable: true };
  const asked = async (fromMs, untilMs, raw) => {
    const before = setup.sent.length;
    for (let ms = fromMs; ms < untilMs; ms += 40) {
      const count = setup.sent.length;
      await offer(setup, ms);
      if (setup.sent.length > count) await answer(setup, count, raw);
    }
    return setup.sent.length - before;
  };
  assert.ok((await asked(0, 4000, { seq: null, error })) <= 6);
  assert.ok((await asked(4000, 20_000, { seq: null, error })) <= 6);
  assert.ok((await asked(25_000, 26_000)) > 20);
});

test("a server that names a time to wait is asked no sooner", async () => {
  const setup = build();
  const error = { code: "server_full", message: "Full.", retryable: true, retry_after_s: 2 };
  await offer(setup, 0);
  await answer(setup, 0, { seq: null, error });
  for (let ms = 40; ms < 1960; ms += 40) await offer(setup, ms);
  assert.equal(setup.sent.length, 1);
  await offer(setup, 2000);
  assert.equal(setup.sent.length, 2);
});

test("a malformed answer is refused and the stream goes on", async () => {
  const setup = build();
  await offer(setup, 0);
  await answer(setup, 0, { seq: 0, faces: "none" });
  assert.equal(setup.events[0].error.code, "bad_answer");
  await offer(setup, 400);
  assert.equal(setup.sent.length, 2);
});

test("a frame over the size cap is not sent and the next one is made smaller", async () => {
  const setup = build({ frameBytes: 2000 });
  await offer(setup, 0);
  assert.equal(setup.sent.length, 0);
  assert.deepEqual(setup.records, ["too-large"]);
  assert.equal(setup.events[0].reason, "too_large");
});

test("a frame that cannot be encoded is told and frees its slot", async () => {
  const setup = build();
  setup.encoder.encode = async () => {
    throw new Error("no memory");
  };
  await offer(setup, 0);
  await offer(setup, 40);
  await offer(setup, 80);
  assert.equal(
    setup.events.filter(({ type, text }) => type === "message" && text === "no memory").length,
    3,
  );
});

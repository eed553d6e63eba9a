/**
 * A camera, a path and a server in simulated time, around the page's own pump and flow controller.
 *
 * Frames of all clients share the server's workers, one frame of a client at a time. Each client
 * has a path of its own: bytes leave one after another at the path's rate, and nothing overtakes, as
 * on a TCP connection.
 */
import { setImmediate as turn } from "node:timers/promises";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { FlowController } from "../../../static/js/live/flow_controller.js";
import { FramePump } from "../../../static/js/live/frame_pump.js";
import { percentile } from "../../../static/js/live/statistics.js";

const LARGEST_BYTES = 40_000;
const MAX_WAITING = 8;
/** As fer_web/realtime/scheduler.py has it: a frame that waited longer gives way to a newer one. */
const PATIENCE_MS = 100;
export const MAX_IN_FLIGHT = 8;

/** Numbers that look random and are the same in every run (mulberry32). */
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Timeline {
  nowMs = 0;
  #events = [];

  at(ms, run) {
    const time = Math.max(ms, this.nowMs);
    let index = this.#events.length;
    while (index > 0 && this.#events[index - 1].time > time) index -= 1;
    this.#events.splice(index, 0, { time, run });
  }

  async runUntil(endMs) {
    while (this.#events.length > 0 && this.#events[0].time <= endMs) {
      const { time, run } = this.#events.shift();
      this.nowMs = time;
      run();
      // Promises of the pump go on before the next event.
      await turn();
    }
    this.nowMs = endMs;
  }
}

class Direction {
  #timeline;
  #path;
  #freeMs = 0;
  #arrivedMs = 0;

  /** @param {object} path delayMs(nowMs), and bytesPerMs(nowMs) where the path is narrow */
  constructor(timeline, path) {
    this.#timeline = timeline;
    this.#path = path;
  }

  carry(bytes, arrive) {
    const { nowMs } = this.#timeline;
    const { delayMs, bytesPerMs = () => Infinity } = this.#path;
    this.#freeMs = Math.max(this.#freeMs, nowMs) + bytes / bytesPerMs(nowMs);
    this.#arrivedMs = Math.max(this.#arrivedMs, this.#freeMs + delayMs(nowMs));
    this.#timeline.at(this.#arrivedMs, arrive);
  }
}

class Server {
  #timeline;
  #frameMs;
  #idle;
  #ready = [];

  constructor(timeline, { frameMs = 8, workers = 2 }) {
    this.#timeline = timeline;
    this.#frameMs = frameMs;
    this.#idle = workers;
  }

  submit(client, answer) {
    client.waiting.push({ receivedMs: this.#timeline.nowMs, answer });
    if (client.waiting.length > MAX_WAITING) client.waiting.shift().answer({ dropped: true });
    if (!client.isScheduled) this.#ready.push(client);
    client.isScheduled = true;
    this.#work();
  }

  #work() {
    while (this.#idle > 0 && this.#ready.length > 0) this.#analyse(this.#ready.shift());
  }

  #analyse(client) {
    const { nowMs } = this.#timeline;
    const { waiting } = client;
    while (waiting.length > 1 && nowMs - waiting[0].receivedMs > PATIENCE_MS)
      waiting.shift().answer({ dropped: true });
    const frame = waiting.shift();
    this.#idle -= 1;
    this.#timeline.at(nowMs + this.#frameMs, () => {
      frame.answer({ waitMs: nowMs - frame.receivedMs, totalMs: this.#frameMs });
      this.#idle += 1;
      client.isScheduled = waiting.length > 0;
      if (client.isScheduled) this.#ready.push(client);
      this.#work();
    });
  }
}

class Client {
  waiting = [];
  isScheduled = false;
  results = [];
  drops = [];

  constructor(timeline, server, { up, down, encodeMs = () => 4, cameraFps = 30, startMs = 0 }) {
    const bus = new EventBus();
    const uplink = new Direction(timeline, up);
    const downlink = new Direction(timeline, down);
    const now = () => timeline.nowMs;
    this.controller = new FlowController({ maxFps: 30, maxInFlight: MAX_IN_FLIGHT });
    const transport = {
      isConnected: true,
      sendFrame: ({ seq }, bytes) =>
        new Promise((resolve) => {
          const answer = (result) => downlink.carry(300, () => resolve(wireAnswer(seq, result)));
          uplink.carry(bytes.byteLength, () => server.submit(this, answer));
        }),
    };
    const encoder = {
      encode: (settings) =>
        new Promise((resolve) => {
          const bytes = new ArrayBuffer(encodedBytes(settings));
          timeline.at(now() + encodeMs(settings), () =>
            resolve({ bytes, width: settings.longestSide, height: settings.longestSide * 0.75 }),
          );
        }),
    };
    const options = { emotions: ["happy"], maxFrameBytes: 500_000, maxInFlight: MAX_IN_FLIGHT };
    const pump = new FramePump({
      encoder,
      transport,
      controller: this.controller,
      bus,
      options,
      now,
    });
    bus.on("result", (result) => this.results.push({ ...result, atMs: now() }));
    bus.on("frame-dropped", (drop) => this.drops.push({ ...drop, atMs: now() }));
    pump.start();
    const show = () => {
      pump.offer({ capturedMs: now() });
      timeline.at(now() + 1000 / cameraFps, show);
    };
    timeline.at(startMs, show);
  }
}

function wireAnswer(seq, { dropped = false, waitMs = 0, totalMs = 0 }) {
  const timings = { wait: waitMs, total: totalMs };
  return { seq, faces: [], timings_ms: timings, dropped: dropped ? "newer_frame" : null };
}

function encodedBytes({ longestSide, quality }) {
  return Math.round(LARGEST_BYTES * (longestSide / 640) ** 2 * (quality / 0.8) ** 1.5);
}

/**
 * @param {object} network of each client: up and down with delayMs(nowMs) and perhaps bytesPerMs(nowMs)
 * @param {{server?: object, clients?: number, seconds: number}} run
 * @returns {Promise<(fromS: number, toS: number) => object[]>} figures of each client between two
 *   times
 */
export async function simulate(network, { server = {}, clients = 1, seconds }) {
  const timeline = new Timeline();
  const shared = new Server(timeline, server);
  const all = Array.from(
    { length: clients },
    (_, index) => new Client(timeline, shared, { ...network(index), startMs: index * 7 }),
  );
  const settings = [];
  const watch = () => {
    settings.push({ atMs: timeline.nowMs, all: all.map(({ controller }) => controller.settings) });
    timeline.at(timeline.nowMs + 100, watch);
  };
  watch();
  await timeline.runUntil(seconds * 1000);
  return (fromS, toS) =>
    all.map((client, index) => figures(client, settings, index, fromS * 1000, toS * 1000));
}

function figures({ results, drops }, settings, index, fromMs, toMs) {
  const within = ({ atMs }) => atMs >= fromMs && atMs < toMs;
  const seen = results.filter(within);
  const latencies = seen.map(({ latencyMs }) => latencyMs);
  const chosen = settings.filter(within).map(({ all }) => all[index]);
  return {
    perSecond: (1000 * seen.length) / (toMs - fromMs),
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    drops: drops.filter(within).map(({ reason }) => reason),
    sides: chosen.map(({ longestSide }) => longestSide),
    inFlight: chosen.map(({ inFlight }) => inFlight),
  };
}

export const constant = (roundTripMs) => () => ({
  up: { delayMs: () => roundTripMs / 2 },
  down: { delayMs: () => roundTripMs / 2 },
});

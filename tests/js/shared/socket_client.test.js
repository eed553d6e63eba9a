import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { SocketClient } from "../../../static/js/shared/socket_client.js";

function build(options = {}) {
  const handlers = {};
  const emitted = [];
  const socket = {
    connected: false,
    active: false,
    on: (type, handler) => (handlers[type] = handler),
    connect: () => {
      socket.active = true;
      socket.connects += 1;
    },
    connects: 0,
    disconnect: () => socket.connected && become(false, "disconnect", "io client disconnect"),
    emit: (...args) => emitted.push(args),
    timeout: (ms) => ({ emit: (...args) => emitted.push([ms, ...args]) }),
  };
  const bus = new EventBus();
  const states = [];
  bus.on("connection-changed", ({ state, message }) =>
    states.push(message ? [state, message] : state),
  );
  const told = [];
  for (const type of ["recording-saved", "recording-problem", "message", "goodbye", "farewell"])
    bus.on(type, (detail) => told.push([type, detail]));
  const client = new SocketClient(() => socket, { bus, ackTimeoutMs: 3000, ...options });
  const become = (connected, type, detail) => {
    socket.connected = connected;
    // As in socket.io-client: after these two it does not try by itself.
    socket.active = !["io server disconnect", "io client disconnect"].includes(detail);
    handlers[type](detail);
  };
  return { client, socket, handlers, emitted, states, told, become };
}

const HEADER = { seq: 1, captured_ms: 5 };

test("emits frames with the time-out and answers with the acknowledgement", async () => {
  const { client, emitted, become } = build();
  become(true, "connect");
  const answering = client.sendFrame(HEADER, "bytes");
  const [ms, type, header, bytes, answered] = emitted[0];
  assert.deepEqual([ms, type, header, bytes], [3000, "frame", HEADER, "bytes"]);
  answered(null, "ack");
  assert.equal(await answering, "ack");
});

test("while disconnected nothing reaches the library, which would keep it for later", async () => {
  const { client, emitted } = build();
  await assert.rejects(client.sendFrame(HEADER, "bytes"), { name: "DisconnectedError" });
  client.sendStop();
  assert.deepEqual(emitted, []);
});

test("no answer in time and a lost connection are different errors", async () => {
  const { client, emitted, become } = build();
  become(true, "connect");
  const late = client.sendFrame(HEADER, "bytes");
  emitted[0].at(-1)(new Error("timeout"));
  await assert.rejects(late, { name: "AckTimeoutError" });
  const lost = client.sendFrame(HEADER, "bytes");
  become(false, "disconnect", "transport close");
  emitted[1].at(-1)(new Error("disconnected"));
  await assert.rejects(lost, { name: "DisconnectedError" });
});

test("a lost connection is reconnecting, a goodbye with its reason is closed", () => {
  const { client, states, become, handlers } = build();
  client.connect();
  become(true, "connect");
  become(false, "disconnect", "transport close");
  become(true, "connect");
  handlers.closing({ code: "too_fast", message: "Too many frames." });
  become(false, "disconnect", "io server disconnect");
  assert.deepEqual(states, [
    "connecting",
    "connected",
    "reconnecting",
    "connected",
    ["closed", "Too many frames."],
  ]);
});

test("asked to connect while it connects, it does not introduce itself twice", () => {
  const { client, socket, states, become } = build();
  client.connect();
  client.connect();
  assert.equal(socket.connects, 1);
  become(true, "connect");
  client.connect();
  assert.equal(socket.connects, 1);
  become(false, "disconnect", "io server disconnect");
  client.connect();
  assert.equal(socket.connects, 2);
  assert.deepEqual(states, ["connecting", "connected", "closed", "reconnecting"]);
});

test("a page that is asked to move goes to another server at once, and tells of no trouble", () => {
  const acts = [];
  const later = (act, ms) => acts.push([act, ms]);
  const { socket, states, told, become, handlers } = build({ later, random: () => 0.5 });
  const moving = { code: "moving", message: "Another one goes on.", retryable: true, moving: true };
  for (const reason of ["io server disconnect", "transport close"]) {
    become(true, "connect");
    handlers.closing(moving);
    become(false, "disconnect", reason);
    const [act, ms] = acts.pop();
    assert.ok(ms < 1000);
    act();
  }
  assert.equal(socket.connects, 2);
  become(true, "connect");
  become(false, "disconnect", "transport close");
  assert.deepEqual(states, [
    ...["connected", "moving", "connected", "moving", "connected", "reconnecting"],
  ]);
  assert.deepEqual(told, []);
});

test("a move that does not succeed is a connection that comes back", () => {
  const { states, become, handlers } = build({ later: (act) => act() });
  become(true, "connect");
  handlers.closing({ code: "moving", message: "Another one goes on.", retryable: true });
  become(false, "disconnect", "transport close");
  handlers.connect_error(new Error("websocket error"));
  assert.deepEqual(states, ["connected", "moving", "reconnecting"]);
});

test("a malformed goodbye is no reason", () => {
  const { states, become, handlers } = build();
  become(true, "connect");
  handlers.closing("bye");
  become(false, "disconnect", "io server disconnect");
  assert.equal(states.at(-1), "closed");
});

test("requests travel as frames do", async () => {
  const { client, emitted, become } = build();
  await assert.rejects(client.ask("record", { on: true }), { name: "DisconnectedError" });
  become(true, "connect");
  const asking = client.ask("record", { on: true });
  const [ms, type, payload, answered] = emitted[0];
  assert.deepEqual([ms, type, payload], [3000, "record", { on: true }]);
  answered(null, { session: "s" });
  assert.deepEqual(await asking, { session: "s" });
});

test("what the server says of the recording is checked and passed on", () => {
  const { handlers, told } = build();
  handlers.saved({ session: "s", samples: 12, until_s: 2.4 });
  handlers.recording_problem({
    code: "database_full",
    message: "The disk is full.",
    retryable: false,
  });
  handlers.saved({ session: "s" });
  assert.deepEqual(told.slice(0, 2), [
    ["recording-saved", { session: "s", samples: 12, untilS: 2.4 }],
    [
      "recording-problem",
      { code: "database_full", message: "The disk is full.", retryable: false },
    ],
  ]);
  assert.equal(told[2][0], "message");
});

test("after the last goodbye the page does not come back, whatever asks for it", () => {
  const { client, socket, states, told, become, handlers } = build();
  client.connect();
  become(true, "connect");
  handlers.closing({ code: "link_revoked", message: "The link was revoked.", retryable: false });
  become(false, "disconnect", "transport close");
  client.connect();
  assert.deepEqual([socket.connected, socket.connects], [false, 1]);
  assert.deepEqual(states, ["connecting", "connected", "over"]);
  assert.deepEqual(
    told.map(([type, { problem }]) => [type, problem.kind]),
    [["farewell", "link_revoked"]],
  );
});

test("a refused connection that says why is a last goodbye, told once", () => {
  const { client, states, told, handlers } = build();
  client.connect();
  const refusal = Object.assign(new Error("The link's time is over."), {
    data: { code: "link_expired", message: "x", retryable: false },
  });
  handlers.connect_error(refusal);
  handlers.connect_error(refusal);
  assert.deepEqual(states, ["connecting", "over"]);
  assert.equal(told.length, 1);
});

test("a refused connection without a code that ends is tried again as before", () => {
  const { client, states, handlers } = build();
  client.connect();
  handlers.connect_error(
    Object.assign(new Error("full"), {
      data: { code: "server_full", message: "Full.", retryable: true },
    }),
  );
  assert.deepEqual(states, ["connecting", "connecting"]);
});

test("a page that takes no reason as final may connect again after each", () => {
  const { client, socket, states, told, become, handlers } = build({ goodbye: () => null });
  client.connect();
  become(true, "connect");
  handlers.closing({ code: "link_revoked", message: "Revoked.", retryable: false });
  become(false, "disconnect", "io server disconnect");
  client.connect();
  socket.active = false;
  handlers.connect_error(Object.assign(new Error("Over."), { data: { code: "link_revoked" } }));
  client.connect();
  assert.equal(socket.connects, 3);
  assert.deepEqual(states.at(-2), ["closed", "Over."]);
  assert.deepEqual(
    told.filter(([type]) => type === "farewell"),
    [],
  );
});

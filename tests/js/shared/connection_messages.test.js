import assert from "node:assert/strict";
import { test } from "node:test";

import {
  connectionMessage,
  goodbyeMessage,
  refusalMessage,
  tellConnection,
} from "../../../static/js/shared/connection_messages.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";

test("a working connection needs no words", () => {
  assert.equal(connectionMessage({ state: "connected", message: "" }), null);
  assert.equal(connectionMessage({ state: "connecting", message: "" }), null);
});

test("a first connection that fails is told", () => {
  assert.match(
    connectionMessage({ state: "connecting", message: "", hasFailed: true }).text,
    /Still trying/,
  );
});

test("a page that goes to another server says so quietly", () => {
  const { tone, title } = connectionMessage({ state: "moving", message: "" });
  assert.deepEqual([tone, title], ["info", "One moment"]);
});

test("a goodbye carries the server's reason and a way back", () => {
  const { text, action } = connectionMessage({ state: "closed", message: "Too many frames." });
  assert.equal(text, "Too many frames.");
  assert.equal(action.request, "reconnect");
});

test("the reason of a goodbye is told in the server's words", () => {
  assert.equal(
    goodbyeMessage({ code: "slow_reader", message: "Answers wait." }).text,
    "Answers wait.",
  );
});

test("only what cannot be repeated is an error", () => {
  assert.equal(refusalMessage({ code: "bad_frame", message: "x", retryable: false }).tone, "error");
  assert.equal(refusalMessage({ code: "busy", message: "x", retryable: true }).tone, "warning");
});

test("a stream of refusals is told once in a while", () => {
  const bus = new EventBus();
  let nowMs = 0;
  let told = 0;
  bus.on("message", () => (told += 1));
  tellConnection(bus, () => nowMs);
  const error = { code: "bad_frame", message: "Not a JPEG.", retryable: false };
  for (; nowMs < 6000; nowMs += 40) bus.emit("frame-refused", { seq: 1, error });
  assert.equal(told, 2);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { Keys, revokeKeyQuestion } from "../../../static/js/api/keys.js";
import { KeysApi } from "../../../static/js/api/keys_api.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";

const answer = (status, body) => ({
  ok: status < 400,
  status,
  json: async () => body ?? JSON.parse(""),
});
const LAPTOP = {
  id: "k1",
  name: "Laptop",
  created_at: "2026-03-04T05:06:07Z",
  last_used_at: null,
  revoked_at: null,
};

/** Keys of a server that gives these answers; what was asked, and what was told. */
function build(...answers) {
  const asked = [];
  const told = [];
  const fetch = async (url, { method, body }) => {
    asked.push([method, url, body]);
    return answers.shift();
  };
  const bus = new EventBus();
  for (const type of ["keys-changed", "key-created", "keys-failed"])
    bus.on(type, (detail) => told.push([type, detail]));
  return { keys: new Keys({ api: new KeysApi(fetch), bus }), asked, told };
}

test("a new key is told once, then the list without it", async () => {
  const made = { ...LAPTOP, key: "fer_x" };
  const { keys, asked, told } = build(answer(201, made), answer(200, { keys: [LAPTOP] }));
  await keys.create("Laptop");
  assert.deepEqual(asked, [
    ["POST", "/api/v1/keys", '{"name":"Laptop"}'],
    ["GET", "/api/v1/keys", undefined],
  ]);
  assert.deepEqual(told, [
    ["key-created", { key: made }],
    ["keys-changed", { keys: [LAPTOP] }],
  ]);
});

test("a revoked key's answer is empty, and the list is read again", async () => {
  const { keys, asked, told } = build(answer(204), answer(200, { keys: [] }));
  await keys.revoke({ id: "a/b" });
  assert.deepEqual(asked[0].slice(0, 2), ["DELETE", "/api/v1/keys/a%2Fb"]);
  assert.deepEqual(told, [["keys-changed", { keys: [] }]]);
});

test("what goes wrong is told in the server's words", async () => {
  const { keys, told } = build(
    answer(400, { error: { code: "bad_value", message: "Too many.", retryable: false } }),
  );
  await keys.create("x");
  assert.deepEqual(told, [["keys-failed", { text: "Too many." }]]);
});

test("the question names the key", () => {
  assert.equal(revokeKeyQuestion(LAPTOP).title, "Revoke “Laptop”?");
});

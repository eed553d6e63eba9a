import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, SessionsApi, exportPath } from "../../../static/js/history/sessions_api.js";

function build(answer, { status = 200 } = {}) {
  const calls = [];
  const api = new SessionsApi(async (url, options) => {
    calls.push({ url, ...options });
    if (answer instanceof Error) throw answer;
    return {
      ok: status < 400,
      status,
      json: async () => (answer === undefined ? Promise.reject(new SyntaxError()) : answer),
    };
  });
  return { api, calls };
}

test("empty filters are left out of the address and texts are escaped", async () => {
  const { api, calls } = build({});
  await api.list({ search: "a&b=c", tag: "", from: "2026-05-01", cursor: null, limit: 50 });
  assert.equal(calls[0].url, "/api/v1/sessions?search=a%26b%3Dc&from=2026-05-01&limit=50");
  assert.equal(calls[0].body, undefined);
});

test("ids cannot leave their place in the address", async () => {
  const { api, calls } = build({});
  await api.session("../x?y");
  assert.equal(calls[0].url, "/api/v1/sessions/..%2Fx%3Fy");
  assert.equal(exportPath("a/b", "csv"), "/api/v1/sessions/a%2Fb/export?format=csv");
});

test("writes are JSON, as the server demands", async () => {
  const { api, calls } = build({});
  await api.update("s", { name: "N" });
  await api.remove("s");
  for (const call of calls) assert.equal(call.headers["Content-Type"], "application/json");
  assert.deepEqual(
    calls.map(({ method, body }) => [method, body]),
    [
      ["PATCH", '{"name":"N"}'],
      ["DELETE", "{}"],
    ],
  );
});

test("an import is sent as it is", async () => {
  const { api, calls } = build({ id: "s" });
  const file = new Blob(['{"schema": 1}']);
  await api.importFile(file);
  assert.deepEqual([calls[0].url, calls[0].body], ["/api/v1/sessions/import", file]);
});

test("the server's refusal arrives with its words", async () => {
  const { api } = build(
    { error: { code: "not_found", message: "There is no such session.", retryable: false } },
    { status: 404 },
  );
  await assert.rejects(api.session("s"), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual(
      [error.code, error.message, error.retryable],
      ["not_found", "There is no such session.", false],
    );
    return true;
  });
});

test("an answer that is not JSON is named by its status", async () => {
  await assert.rejects(build(undefined, { status: 502 }).api.session("s"), /status 502/);
});

test("a server that is away is told as such, an abort stays an abort", async () => {
  await assert.rejects(build(new TypeError("fetch failed")).api.session("s"), /does not answer/);
  const abort = Object.assign(new Error("aborted"), { name: "AbortError" });
  await assert.rejects(build(abort).api.session("s"), { name: "AbortError" });
});

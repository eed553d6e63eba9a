import assert from "node:assert/strict";
import { test } from "node:test";

import { ShareApi, qrPath } from "../../../static/js/share/share_api.js";

function build(answer, { status = 200 } = {}) {
  const calls = [];
  const api = new ShareApi(async (url, options) => {
    calls.push([options.method, url, options.body && JSON.parse(options.body)]);
    return { ok: status < 400, status, json: async () => answer };
  });
  return { api, calls };
}

test("every verb has its address, and ids cannot leave their place", async () => {
  const { api, calls } = build({});
  await api.share();
  await api.createLink({ kind: "join", name: "Visitors", hours: 1 });
  await api.setVideo("a/b", true);
  await api.revokeLink("a");
  await api.removeVisitor("v?");
  await api.stop();
  assert.deepEqual(calls, [
    ["GET", "/api/v1/share", undefined],
    ["POST", "/api/v1/share/links", { kind: "join", name: "Visitors", hours: 1 }],
    ["PATCH", "/api/v1/share/links/a%2Fb", { video: true }],
    ["DELETE", "/api/v1/share/links/a", {}],
    ["DELETE", "/api/v1/share/visitors/v%3F", {}],
    ["POST", "/api/v1/share/stop", {}],
  ]);
});

test("who is not the host hears so by its code", async () => {
  const refusal = {
    error: { code: "forbidden", message: "Only the host may share.", retryable: false },
  };
  await assert.rejects(build(refusal, { status: 403 }).api.share(), {
    name: "ApiError",
    code: "forbidden",
  });
});

test("the QR code's address changes with the network, so that no old picture is shown", () => {
  const link = (host) => ({ id: "j", urls: ["https://a.local/l/t", `https://${host}/l/t`] });
  const [before, after] = [qrPath(link("10.0.0.1:5443"), 1), qrPath(link("10.0.0.2:5443"), 1)];
  assert.match(before, /^\/api\/v1\/share\/links\/j\/qr\.svg\?address=1&at=/);
  assert.notEqual(before, after);
  assert.doesNotMatch(before, /\/t/, "no token stands in an address that a log keeps");
});

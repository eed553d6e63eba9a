import assert from "node:assert/strict";
import { test } from "node:test";

import { goodbyeOf } from "../../../static/js/shared/goodbyes.js";

const FINAL = [
  "link_revoked",
  "link_expired",
  "sharing_stopped",
  "visitor_removed",
  "link_needed",
  "link_unknown",
];

test("every end has words of its own and a next step", () => {
  const goodbyes = FINAL.map((code) => goodbyeOf({ code }));
  assert.equal(new Set(goodbyes.map(({ title }) => title)).size, FINAL.length);
  for (const { kind, text, steps, isFinal } of goodbyes) {
    assert.ok(text && steps.length > 0 && isFinal, kind);
  }
});

test("what may pass is no end", () => {
  for (const reason of [{ code: "slow_reader" }, { code: "toString" }, {}, null, undefined])
    assert.equal(goodbyeOf(reason), null);
});

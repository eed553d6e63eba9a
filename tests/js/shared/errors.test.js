import assert from "node:assert/strict";
import { test } from "node:test";

import { CAMERA_PROBLEMS, CameraError, cameraErrorKind } from "../../../static/js/shared/errors.js";

const named = (name, message = "") => Object.assign(new Error(message), { name });

for (const [error, kind] of [
  [named("NotAllowedError"), "denied"],
  [named("NotAllowedError", "Permission denied by system"), "denied_by_system"],
  [named("NotFoundError"), "none_found"],
  [named("NotReadableError"), "busy"],
  [named("AbortError"), "busy"],
  [named("OverconstrainedError"), "overconstrained"],
  [new TypeError("x"), "unsupported"],
  [new CameraError("insecure"), "insecure"],
  [named("SomethingNewError"), "unknown"],
  [undefined, "unknown"],
]) {
  test(`cameraErrorKind of ${error?.name} ${error?.message} is ${kind}`, () =>
    assert.equal(cameraErrorKind(error), kind));
}

test("every kind says what is wrong and what to do", () => {
  for (const [kind, { title, text, steps }] of Object.entries(CAMERA_PROBLEMS)) {
    assert.ok(title && text && steps.length > 0, kind);
  }
});

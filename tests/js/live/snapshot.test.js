import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { SnapshotView } from "../../../static/js/live/views/snapshot.js";

/** A page that makes canvases, and keeps the names of what is saved. */
function build({ faces, hasPicture = true }) {
  const bus = new EventBus();
  const [messages, saved] = [[], []];
  const context = { save() {}, restore() {}, translate() {}, scale() {}, drawImage() {} };
  const canvas = { getContext: () => context, toBlob: (take) => take(new Blob(["png"])) };
  const link = { click: () => saved.push(link.download), download: "" };
  globalThis.document = /** @type {any} */ ({
    createElement: (tag) => (tag === "canvas" ? canvas : link),
  });
  const flash = { addEventListener() {}, classList: { add() {} } };
  // A film has no stream, and is taken all the same.
  const video = { videoWidth: hasPicture ? 640 : 0, videoHeight: 480, srcObject: null };
  bus.on("message", (message) => messages.push(message));
  const elements = /** @type {any} */ ({ video, flash });
  new SnapshotView(elements, bus, () => Array(faces).fill({}));
  mock.timers.enable({ apis: ["setTimeout"] });
  bus.emit("snapshot-requested");
  mock.timers.reset();
  return { messages, saved };
}

test("a snapshot says when it has no boxes", () => {
  const { messages, saved } = build({ faces: 0 });
  assert.match(messages[0].text, /It has no boxes: no face was found/);
  assert.match(saved[0], /^expressions-.*\.png$/);
});

test("one with boxes says nothing of them", () => {
  const { messages } = build({ faces: 2 });
  assert.match(messages[0].text, /^expressions-.*\.png, in your downloads$/);
});

test("without a picture there is none", () => {
  const { messages, saved } = build({ faces: 0, hasPicture: false });
  assert.deepEqual([messages, saved], [[], []]);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { PictureInPicture } from "../../../static/js/live/picture_in_picture.js";
import { Sight } from "../../../static/js/live/sight.js";

function build({ documents = undefined, makeVideo = () => ({}), hasPicture = true } = {}) {
  const bus = new EventBus();
  const [told, messages, wanted] = [[], [], []];
  const canvas = {
    width: 640,
    height: 480,
    style: {},
    captureStream: () => ({ getTracks: () => [] }),
  };
  const composition = {
    canvas,
    paint: () => hasPicture,
    want: (user, isWanted) => wanted.push(isWanted),
  };
  bus.on("pip-changed", (change) => told.push(change));
  bus.on("message", (message) => messages.push(message));
  const deps = { composition, documents, makeVideo, bus };
  const pip = new PictureInPicture(/** @type {any} */ (deps));
  return { pip, bus, told, messages, wanted, canvas, last: () => told.at(-1) };
}

/** A window that stays over others. */
function fakeWindow() {
  const opened = Object.assign(new EventTarget(), {
    isClosed: false,
    close: () => (opened.isClosed = true),
    document: {
      body: { style: {}, parts: [], append: (part) => opened.document.body.parts.push(part) },
    },
  });
  return opened;
}

test("a document takes the canvas, and the page goes on by it", async () => {
  const opened = fakeWindow();
  const { pip, last, wanted, canvas } = build({ documents: { requestWindow: async () => opened } });
  await pip.toggle();
  assert.deepEqual([last().isOn, last().screen], [true, opened]);
  assert.deepEqual([opened.document.body.parts, wanted], [[canvas], [true]]);
  await pip.toggle();
  assert.deepEqual([last().isOn, last().screen, opened.isClosed], [false, null, true]);
  assert.deepEqual(wanted, [true, false]);
});

test("a small window that a person closes is over", async () => {
  const opened = fakeWindow();
  const { pip, last } = build({ documents: { requestWindow: async () => opened } });
  await pip.toggle();
  opened.dispatchEvent(new Event("pagehide"));
  assert.deepEqual([pip.isOn, last().isOn], [false, false]);
});

test("where only videos may be there, the composed picture is one", async () => {
  const video = Object.assign(new EventTarget(), {
    play: async () => {},
    requestPictureInPicture: async () => {},
    ownerDocument: {},
  });
  const { pip, last } = build({ makeVideo: () => video });
  await pip.toggle();
  assert.deepEqual([last().isOn, last().screen], [true, null]);
  video.dispatchEvent(new Event("leavepictureinpicture"));
  assert.equal(last().isOn, false);
});

test("a browser that has neither says so, and nothing opens", async () => {
  const { pip, last } = build();
  pip.tell();
  await pip.toggle();
  assert.match(last().problem, /no picture-in-picture/);
  assert.ok(!pip.isOn);
});

test("a refusal is told", async () => {
  const requestWindow = async () => {
    throw new DOMException("needs a gesture", "NotAllowedError");
  };
  const { pip, messages } = build({ documents: { requestWindow } });
  await pip.toggle();
  assert.match(messages[0].text, /needs a gesture/);
  assert.ok(!pip.isOn);
});

test("the page is out of sight where its tab is hidden and no small window shows it", () => {
  const bus = new EventBus();
  const seen = [];
  const page = Object.assign(new EventTarget(), { hidden: false });
  bus.on("sight-changed", ({ isHidden }) => seen.push(isHidden));
  new Sight(/** @type {any} */ (page), bus);
  const hide = (hidden) => {
    page.hidden = hidden;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  hide(true);
  hide(false);
  bus.emit("pip-changed", { screen: {} });
  hide(true);
  bus.emit("pip-changed", { screen: null });
  assert.deepEqual(seen, [true, false, false, false, true]);
});

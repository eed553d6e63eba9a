import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { WakeLock, keepAwake } from "../../../static/js/shared/wake_lock.js";
import { PresentationView, QUIET_AFTER_MS } from "../../../static/js/shared/views/presentation.js";

/** A shell that has one control, beside another part of the page. */
function build({ canFill = true, isForbidden = false } = {}) {
  const bus = new EventBus();
  const classes = new Set();
  const used = { isAtKeyboard: false, hasDialog: false, focus: "" };
  const page = Object.assign(new EventTarget(), {
    fullscreenElement: null,
    querySelector: () => (used.hasDialog ? {} : null),
    exitFullscreen: () => become(null),
  });
  const become = (element) => {
    page.fullscreenElement = element;
    page.dispatchEvent(new Event("fullscreenchange"));
  };
  const beside = { inert: false, matches: () => false };
  const shell = {
    classList: {
      add: (name) => classes.add(name),
      remove: (name) => classes.delete(name),
      toggle: (name, isOn) => (isOn ? classes.add(name) : classes.delete(name)),
    },
    focus: () => (used.focus = "shell"),
    requestFullscreen: canFill
      ? async () => {
          if (isForbidden) throw new TypeError("not allowed");
          become(shell);
        }
      : undefined,
  };
  page.body = { children: [shell, beside] };
  shell.parentElement = page.body;
  const bar = { querySelector: () => (used.isAtKeyboard ? {} : null) };
  const told = [];
  bus.on("fullscreen-changed", ({ isFullscreen }) => told.push(isFullscreen));
  const fullscreen = { matches: () => used.isAtKeyboard };
  new PresentationView({ shell, bars: [bar], fullscreen }, bus, page);
  const stir = (type, detail = {}) => page.dispatchEvent(Object.assign(new Event(type), detail));
  const ask = async () => {
    bus.emit("fullscreen-requested");
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { bus, ask, classes, told, page, shell, beside, used, stir, become };
}

function withTimers(body) {
  return async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      await body();
    } finally {
      mock.timers.reset();
    }
  };
}

for (const [name, options] of [
  ["in full screen", {}],
  ["in the window of a browser that has no full screen", { canFill: false }],
  ["in the window where full screen is forbidden", { isForbidden: true }],
]) {
  test(`it is shown ${name}, and asked again it goes`, async () => {
    const { ask, classes, told, page, beside } = build(options);
    await ask();
    assert.deepEqual([told, classes.has("is-presenting"), beside.inert], [[true], true, true]);
    assert.equal(page.fullscreenElement === null, Object.keys(options).length > 0);
    await ask();
    assert.deepEqual(told, [true, false]);
    assert.deepEqual([classes.has("is-presenting"), beside.inert], [false, false]);
  });
}

test("Escape leaves the window too, but for a field or a menu that it closes", async () => {
  const { ask, told, stir, used, page } = build({ canFill: false });
  await ask();
  const inField = Object.assign(new Event("keydown"), { key: "Escape" });
  Object.defineProperty(inField, "target", { value: { closest: () => ({}) } });
  page.dispatchEvent(inField);
  used.hasDialog = true;
  stir("keydown", { key: "Escape" });
  used.hasDialog = false;
  assert.deepEqual(told, [true]);
  stir("keydown", { key: "Escape" });
  assert.deepEqual(told, [true, false]);
});

test(
  "a button that was pressed before does not keep the controls, the one of full screen does",
  withTimers(async () => {
    for (const isAtKeyboard of [false, true]) {
      const { ask, used } = build();
      used.isAtKeyboard = isAtKeyboard;
      await ask();
      assert.equal(used.focus, isAtKeyboard ? "" : "shell");
    }
  }),
);

test("asked twice before the browser tells of full screen, it goes again", async () => {
  const { ask, told, page, shell } = build();
  page.fullscreenElement = shell;
  await ask();
  assert.equal(page.fullscreenElement, null);
  assert.deepEqual(told, []);
});

test("the browser's own way out of full screen is followed", async () => {
  const { ask, told, become } = build();
  await ask();
  become(null);
  assert.deepEqual(told, [true, false]);
});

test(
  "controls go after a while, and come with a movement, a key or a touch",
  withTimers(async () => {
    const { ask, classes, stir } = build({ canFill: false });
    await ask();
    for (const type of ["pointermove", "keydown", "pointerdown"]) {
      mock.timers.tick(QUIET_AFTER_MS - 1);
      assert.ok(!classes.has("is-quiet"));
      mock.timers.tick(1);
      assert.ok(classes.has("is-quiet"));
      stir(type, { screenX: 5, screenY: 5 });
      assert.ok(!classes.has("is-quiet"), type);
    }
    mock.timers.tick(QUIET_AFTER_MS);
    stir("pointermove", { screenX: 5, screenY: 5 });
    assert.ok(classes.has("is-quiet"), "the pointer rests");
  }),
);

test(
  "controls stay while the keyboard is at one of them or a dialog is open, and go afterwards",
  withTimers(async () => {
    const { ask, classes, used } = build({ canFill: false });
    await ask();
    used.isAtKeyboard = true;
    mock.timers.tick(3 * QUIET_AFTER_MS);
    assert.ok(!classes.has("is-quiet"));
    [used.isAtKeyboard, used.hasDialog] = [false, true];
    mock.timers.tick(3 * QUIET_AFTER_MS);
    assert.ok(!classes.has("is-quiet"));
    used.hasDialog = false;
    mock.timers.tick(QUIET_AFTER_MS);
    assert.ok(classes.has("is-quiet"));
  }),
);

test(
  "nothing is hidden any more once it is left",
  withTimers(async () => {
    const { ask, classes, stir } = build({ canFill: false });
    await ask();
    await ask();
    mock.timers.tick(2 * QUIET_AFTER_MS);
    stir("keydown", { key: "x" });
    assert.ok(!classes.has("is-quiet"));
  }),
);

test("the screen stays on while it is presented, live or not", async () => {
  const bus = new EventBus();
  const locks = [];
  const request = async () => {
    const lock = { released: false, release: async () => (lock.released = true) };
    locks.push(lock);
    return lock;
  };
  keepAwake(new WakeLock({ request }), new EventTarget(), bus);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  for (const [type, detail, isOn] of [
    ["fullscreen-changed", { isFullscreen: true }, true],
    ["session-changed", { state: "live" }, true],
    ["fullscreen-changed", { isFullscreen: false }, true],
    ["session-changed", { state: "idle" }, false],
  ]) {
    bus.emit(type, detail);
    await settle();
    assert.equal(
      locks.some(({ released }) => !released),
      isOn,
      `${type} ${JSON.stringify(detail)}`,
    );
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { ShareControl } from "../../../static/js/share/share_control.js";

const shareOf = (ids) => ({
  can_share: true,
  links: ids.map((id) => ({ id, name: id, kind: "join", state: "open", session: null })),
  visitors: [],
});

/** Timers that run when the test says so. */
function build(api) {
  const bus = new EventBus();
  const told = [];
  for (const type of ["share-changed", "share-failed", "share-trouble"]) {
    bus.on(type, (detail) =>
      told.push(type === "share-changed" ? detail.share.links.map(({ id }) => id) : [type, detail]),
    );
  }
  const timers = new Map();
  let next = 1;
  const set = (act, ms) => (timers.set(next, { act, ms }), next++);
  const sharing = new ShareControl({
    api,
    bus,
    timers: { set, clear: (timer) => timers.delete(timer) },
  });
  const tick = () => {
    const [[timer, { act }]] = timers;
    timers.delete(timer);
    return act();
  };
  return { sharing, told, timers, tick };
}

test("it looks every two seconds while it is open, and not after", async () => {
  const looks = [shareOf(["a"]), shareOf(["b", "a"])];
  const { sharing, told, timers, tick } = build({ share: async () => looks.shift() });
  await sharing.open();
  assert.deepEqual(
    [...timers.values()].map(({ ms }) => ms),
    [2000],
  );
  await tick();
  assert.deepEqual(told, [["a"], ["b", "a"]]);
  sharing.close();
  assert.equal(timers.size, 0);
});

test("a look that fails is told, and the next one follows", async () => {
  let isBroken = true;
  const share = async () => {
    if (isBroken)
      throw Object.assign(new Error("The server does not answer."), { code: "unreachable" });
    return shareOf(["a"]);
  };
  const { sharing, told, tick } = build({ share });
  await sharing.open();
  assert.equal(told[0][1].problem.message, "The server does not answer.");
  isBroken = false;
  await tick();
  assert.deepEqual(told[1], ["a"]);
});

test("an answer from before a change is not shown after it", async () => {
  const waiting = [];
  const share = () => new Promise((resolve) => waiting.push(resolve));
  const { sharing, told, timers } = build({ share, revokeLink: async () => ({}) });
  const opening = sharing.open();
  const revoking = sharing.revoke("a");
  await new Promise((resolve) => setImmediate(resolve));
  waiting[1](shareOf(["b"]));
  await revoking;
  waiting[0](shareOf(["a", "b"]));
  await opening;
  assert.deepEqual(told, [["b"]]);
  assert.equal(timers.size, 1, "one row of looks, not two");
});

test("what was refused is told in the server's words, and the truth is looked up", async () => {
  const refusal = Object.assign(new Error("A name may have 100 characters."), {
    code: "bad_value",
  });
  const { sharing, told } = build({
    share: async () => shareOf(["a"]),
    createLink: async () => Promise.reject(refusal),
  });
  assert.equal(await sharing.create({ kind: "join", name: "x" }), null);
  assert.deepEqual(told, [
    ["share-trouble", { title: "The link was not made", text: "A name may have 100 characters." }],
    ["a"],
  ]);
});

test("a session that is shared already is not shared twice", async () => {
  const made = [];
  const share = shareOf(["a"]);
  Object.assign(share.links[0], { kind: "session", session: "s1" });
  const createLink = async (values) => (made.push(values), { id: "new" });
  const { sharing } = build({ share: async () => share, createLink });
  assert.equal((await sharing.linkFor("s1", "Film")).id, "a");
  assert.equal((await sharing.linkFor("s2", "Talk")).id, "new");
  assert.deepEqual(made, [{ kind: "session", name: "Talk", session: "s2" }]);
});

test("nothing is made where nothing can be shared", async () => {
  const createLink = () => assert.fail("made");
  assert.equal(
    await build({
      share: async () => ({ ...shareOf([]), can_share: false }),
      createLink,
    }).sharing.linkFor("s", "N"),
    null,
  );
  const forbidden = build({
    share: async () => Promise.reject(new Error("Only the host.")),
    createLink,
  });
  assert.equal(await forbidden.sharing.linkFor("s", "N"), null);
  assert.equal(forbidden.told[0][0], "share-failed");
});

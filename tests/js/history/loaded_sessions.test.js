import assert from "node:assert/strict";
import { test } from "node:test";

import { EventBus } from "../../../static/js/shared/event_bus.js";
import { LoadedSessions } from "../../../static/js/history/loaded_sessions.js";

const page = (ids, next = null, total = ids.length) => ({
  sessions: ids.map((id) => ({ id, name: `Name ${id}` })),
  next,
  total,
  tags: ["t"],
  retention_days: 30,
});

function build(api) {
  const bus = new EventBus();
  const [states, messages] = [[], []];
  bus.on("list-changed", (state) => states.push(state));
  bus.on("message", (message) => messages.push(message));
  const list = new LoadedSessions({ api, bus });
  return {
    list,
    states,
    messages,
    last: () => states.at(-1),
    ids: () => states.at(-1).sessions.map(({ id }) => id),
  };
}

const NONE = { search: "", tag: "", from: "", to: "" };

test("pages are added until there are no more", async () => {
  const asked = [];
  const pages = [page(["a", "b"], "c1", 3), page(["c"], null, 3)];
  const { list, last, ids } = build({
    list: async (filter) => (asked.push(filter.cursor), pages.shift()),
  });
  await list.load(NONE);
  assert.equal(last().hasMore, true);
  await list.more();
  assert.deepEqual(ids(), ["a", "b", "c"]);
  assert.deepEqual(asked, ["", "c1"]);
  assert.equal(last().hasMore, false);
  await list.more();
  assert.equal(asked.length, 2);
});

test("an answer that a newer filter overtook is not shown", async () => {
  const waiting = [];
  const { list, ids } = build({
    list: (filter, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ filter, resolve });
        signal.addEventListener("abort", () =>
          reject(Object.assign(new Error("x"), { name: "AbortError" })),
        );
      }),
  });
  const first = list.load({ ...NONE, search: "a" });
  const second = list.load({ ...NONE, search: "ab" });
  waiting[1].resolve(page(["ab"]));
  await Promise.all([first, second]);
  assert.deepEqual(ids(), ["ab"]);
});

test("a failure is told and can be tried again", async () => {
  let isBroken = true;
  const { list, last, ids } = build({
    list: async () => {
      if (isBroken) throw new Error("The server does not answer.");
      return page(["a"]);
    },
  });
  await list.load(NONE);
  assert.deepEqual([last().status, last().problem], ["failed", "The server does not answer."]);
  isBroken = false;
  await list.reload();
  assert.deepEqual(ids(), ["a"]);
});

test("a deleted session leaves the list at once and can come back", async () => {
  const restored = [];
  const api = {
    list: async () => page(["a", "b"]),
    remove: async () => ({ undo_s: 600 }),
    restore: async (id) => (restored.push(id), {}),
  };
  const { list, messages, ids, last } = build(api);
  await list.load(NONE);
  await list.remove("a");
  assert.deepEqual([ids(), last().total], [["b"], 1]);
  assert.deepEqual(messages[0].action, { label: "Undo", request: "restore", detail: { id: "a" } });
  assert.equal(messages[0].text, "Name a");
  await list.restore("a");
  assert.deepEqual([restored, ids()], [["a"], ["a", "b"]]);
});

test("a refused deletion leaves the session where it is", async () => {
  const { list, messages, ids } = build({
    list: async () => page(["a"]),
    remove: async () => {
      throw new Error("There is no such session.");
    },
  });
  await list.load(NONE);
  await list.remove("a");
  assert.deepEqual(ids(), ["a"]);
  assert.equal(messages[0].tone, "error");
});

test("a new name is shown as the server took it", async () => {
  const { list, states } = build({
    list: async () => page(["a"]),
    update: async (id, { name }) => ({ id, name: name.trim() }),
  });
  await list.load(NONE);
  assert.equal(await list.rename("a", "New "), true);
  assert.equal(states.at(-1).sessions[0].name, "New");
});

test("an import that is refused says why, and names the file", async () => {
  const { list, messages } = build({
    importFile: async () => {
      throw new Error("schema_version is 9, 1 is known.");
    },
  });
  await list.importFile({ name: "x.json" });
  assert.deepEqual(
    [messages[0].title, messages[0].text],
    ["x.json was not imported", "schema_version is 9, 1 is known."],
  );
});

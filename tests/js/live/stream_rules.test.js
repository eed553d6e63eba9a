import assert from "node:assert/strict";
import { test } from "node:test";

import { readRules, ruleTitle } from "../../../static/js/live/rule_texts.js";
import { StreamRules } from "../../../static/js/live/stream_rules.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";
import { parseFired, parseMarked, parseRulesAck } from "../../../static/js/shared/protocol.js";

const SAD = { when: "sad", for_s: 5, people: 1, effects: ["marker"] };
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

function made({ stored = null, answer = { rules: 0, sends: true } } = {}) {
  const bus = new EventBus();
  const [asked, told, kept] = [[], [], { rules: stored }];
  for (const type of ["rules-changed", "rule-sound-wanted", "message"])
    bus.on(type, (detail) => told.push([type, detail]));
  const socket = {
    async ask(event, payload) {
      asked.push([event, payload]);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const preferences = { get: (name) => kept[name], set: (name, value) => (kept[name] = value) };
  const rules = new StreamRules(/** @type {any} */ ({ socket, bus, preferences }));
  return { bus, asked, told, kept, rules };
}

test("stored rules are sent with each connection, with their titles", async () => {
  const { bus, asked, told } = made({ stored: JSON.stringify([SAD]) });
  bus.emit("connection-changed", { state: "connected" });
  bus.emit("connection-changed", { state: "reconnecting" });
  await settled();
  assert.deepEqual(asked, [["rules", { rules: [{ ...SAD, name: "Sad for 5 s" }] }]]);
  assert.deepEqual(told, [["rules-changed", { rules: [SAD], canSend: true }]]);
});

test("a change is kept, sent and told at once", async () => {
  const { bus, asked, kept, told } = made();
  bus.emit("rule-added");
  bus.emit("rule-edited", { index: 0, rule: SAD });
  assert.deepEqual(JSON.parse(kept.rules), [SAD]);
  bus.emit("rule-removed", { index: 0 });
  assert.equal(kept.rules, "[]");
  await settled();
  assert.deepEqual(
    asked.map(([, { rules }]) => rules.length),
    [1, 1, 0],
  );
  assert.deepEqual(told.at(-1)[1].rules, []);
});

test("no more rules than the server takes are added", () => {
  const { bus, kept } = made();
  for (let i = 0; i < 25; i++) bus.emit("rule-added");
  assert.equal(JSON.parse(kept.rules).length, 20);
});

test("a refusal is told; without an answer they are sent again later", async () => {
  const refused = made({
    answer: /** @type {any} */ ({ error: { code: "bad_value", message: "No" } }),
  });
  refused.bus.emit("rule-added");
  await settled();
  assert.equal(refused.told.at(-1)[1].text, "No");
  const lost = Object.assign(new Error("away"), { name: "DisconnectedError" });
  const away = made({ answer: /** @type {any} */ (lost) });
  away.bus.emit("rule-added");
  await settled();
  assert.deepEqual(
    away.told.map(([type]) => type),
    ["rules-changed"],
  );
});

test("what is heard can be read, and a rule without a sound says nothing", () => {
  const { bus, told } = made();
  bus.emit("rule-fired", { rule: "Sad for 5 s", hasSound: true });
  bus.emit("rule-fired", { rule: "Happy", hasSound: false });
  assert.deepEqual(
    told.map(([type, detail]) => [type, detail?.title]),
    [
      ["rule-sound-wanted", undefined],
      ["message", "Sad for 5 s"],
    ],
  );
});

test("rules that no longer fit are as good as none", () => {
  for (const stored of ["", "{", "5", "{}", null])
    assert.deepEqual(readRules(/** @type {any} */ (stored)), []);
  const wrong = [
    { ...SAD, when: "bored" },
    { ...SAD, for_s: -1 },
    { ...SAD, for_s: null },
    { ...SAD, people: 1.5 },
    { ...SAD, effects: [] },
    { ...SAD, effects: ["run"] },
    null,
  ];
  assert.deepEqual(readRules(JSON.stringify([...wrong, { ...SAD, url: "http://x" }])), [SAD]);
});

test("titles say the condition", () => {
  assert.equal(ruleTitle({ ...SAD, people: 2 }), "2 people: Sad for 5 s");
  assert.equal(ruleTitle({ when: "nobody", for_s: 60, people: 3 }), "Nobody for 60 s");
  assert.equal(ruleTitle({ when: "anyone", for_s: 0, people: 1 }), "Anyone");
});

test("what the server says of rules is checked", () => {
  assert.deepEqual(parseRulesAck({ rules: 1, sends: false }), { sends: false });
  assert.deepEqual(parseFired({ rule: "x", sound: true }), { rule: "x", hasSound: true });
  const marker = { id: "m", at_s: 1.5, text: "x" };
  assert.deepEqual(parseMarked({ session: "s", marker }), {
    marker: { session: "s", id: "m", atS: 1.5, text: "x" },
  });
  for (const wrong of [null, {}, { rule: "" }, { rule: "x" }, { rule: 5, sound: true }])
    assert.throws(() => parseFired(wrong));
  for (const wrong of [null, {}, { session: "s" }, { marker }])
    assert.throws(() => parseMarked(wrong));
  assert.throws(() => parseRulesAck({ rules: 1 }));
  assert.throws(() => parseRulesAck({ error: { code: "bad_value", message: "No" } }), /No/);
});

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

import { plural, t } from "../../../static/js/shared/words.js";
import { serverText } from "../../../static/js/shared/server_errors.js";
import { withoutLanguage } from "../../../static/js/shared/views/language_choice.js";

const espree = createRequire(import.meta.url)("espree");
const SOURCES = new URL("../../../static/js/", import.meta.url);
const TABLES = new URL("../../../static/languages/", import.meta.url);
/** Its words are for the log of a program that shows it. */
const ENGLISH = /^overlay\//;

/** @returns {{file: string, node: any, parent: any}[]} all nodes of all modules */
function nodesOf(file) {
  const source = readFileSync(new URL(file, SOURCES), "utf8");
  const found = [];
  const walk = (node, parent) => {
    if (!node || typeof node.type !== "string") return;
    found.push({ file, node, parent });
    for (const child of Object.values(node).flat())
      if (child && typeof child === "object") walk(child, node);
  };
  walk(espree.parse(source, { ecmaVersion: "latest", sourceType: "module" }), null);
  return found;
}

const FILES = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".js"),
);
const NODES = FILES.flatMap(nodesOf);
const callsOf = (name) =>
  NODES.filter(({ node }) => node.type === "CallExpression" && node.callee.name === name);

test("every text that is translated is written out where it is said", () => {
  for (const { file, node } of [...callsOf("t"), ...callsOf("plural")]) {
    const texts =
      node.callee.name === "t" ? node.arguments.slice(0, 1) : node.arguments.slice(1, 3);
    for (const text of texts) assert.equal(typeof text.value, "string", file);
  }
});

for (const name of readdirSync(TABLES)) {
  const table = JSON.parse(readFileSync(new URL(name, TABLES), "utf8"));
  const texts = new Set(callsOf("t").map(({ node }) => node.arguments[0].value));
  const plurals = new Set(callsOf("plural").map(({ node }) => node.arguments[2].value));

  test(`${name} has every text that scripts say, and no other`, () => {
    assert.deepEqual(Object.keys(table).sort(), [...new Set([...texts, ...plurals])].sort());
  });

  test(`${name} has all plural forms, and keeps what is filled in`, () => {
    const language = name.replace(".json", "");
    const kinds = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const parts = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const [text, said] of Object.entries(table)) {
      assert.equal(typeof said === "object", plurals.has(text), text);
      for (const form of typeof said === "object" ? Object.values(said) : [said])
        assert.deepEqual(parts(form), parts(text), text);
      if (typeof said !== "object") continue;
      // A missing form falls back to "other": French and Spanish have one for millions.
      assert.ok(
        ["one", "other"].every((kind) => kinds.includes(kind) && said[kind]),
        text,
      );
    }
  });
}

/** What a string says, or the beginning of a template string. */
function textOf(node) {
  if (node.type === "TemplateLiteral") return node.quasis[0].value.cooked;
  return node.type === "Literal" ? node.value : null;
}

test("no sentence of a translated page goes around the table", () => {
  const isSentence = (text) => /^[A-Z][a-z]+ [a-z]/.test(text);
  const left = NODES.filter(({ file, node, parent }) => {
    const text = textOf(node);
    if (ENGLISH.test(file) || typeof text !== "string") return false;
    const isTold =
      parent.type === "CallExpression" && /^(t|plural|check)$/.test(parent.callee.name);
    const isThrown =
      (parent.type === "NewExpression" && /Error|Exception/.test(parent.callee.name)) ||
      parent.callee?.type === "Super";
    return isSentence(text) && !isTold && !isThrown;
  });
  assert.deepEqual(
    left.map(({ file, node }) => `${file}: ${textOf(node)}`),
    [],
  );
});

test("without a table the English of the source is said, with what is filled in", () => {
  assert.equal(t("Marker at {time}", { time: "0:07" }), "Marker at 0:07");
  assert.equal(t("{a} {b}", { a: "{b}" }), "{b} {b}", "what is filled in is not filled again");
  assert.equal(plural(1, "{count} face", "{count} faces"), "1 face");
  assert.equal(plural(1200, "{count} face", "{count} faces"), "1,200 faces");
});

test("a server's error keeps its details, behind its meaning where the page is not English", () => {
  const error = { code: "server_full", message: "32 streams are open." };
  assert.equal(serverText(error, "en"), "32 streams are open.");
  assert.match(serverText(error, "de"), /^All places .+ \(32 streams are open\.\)$/);
  assert.equal(serverText({ code: "toString", message: "Odd." }, "de"), "Odd.");
});

test("a choice of a language takes the link's away", () => {
  assert.equal(
    withoutLanguage("http://x/?lang=de&show=labels,bars#chart"),
    "http://x/?show=labels%2Cbars",
  );
});

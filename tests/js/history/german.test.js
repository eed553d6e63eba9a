import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const TABLE = new URL("../../../static/languages/de.json", import.meta.url);

// A page in German for an Austrian, before any module asks for its language.
globalThis.document = /** @type {any} */ ({
  documentElement: { lang: "de" },
  querySelector: () => ({ content: "de.json" }),
});
globalThis.fetch = async () => new Response(readFileSync(TABLE));
Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["en-GB", "de-AT", "de-DE"], language: "en-GB" },
});

const { language, locale } = await import("../../../static/js/shared/words.js");
const { formatStart } = await import("../../../static/js/history/dates.js");
const { faceTitle } = await import("../../../static/js/history/people.js");
const { cellName, describeStrip } = await import("../../../static/js/history/strip.js");
const { describeRetention } = await import("../../../static/js/history/views/session_list.js");
const { formatPercentage } = await import("../../../static/js/shared/format.js");
const { serverText } = await import("../../../static/js/shared/server_errors.js");
const links = await import("../../../static/js/share/links.js");
const questions = await import("../../../static/js/share/questions.js");

const NOW = new Date(2026, 0, 3, 20, 0);
const ms = (...parts) => new Date(...parts).getTime();
const plain = (text) => text.replaceAll("\u00a0", " ");

test("dates follow the reader's own region of the page's language", () => {
  assert.deepEqual([language, locale], ["de", "de-AT"]);
  const start = (...parts) => formatStart(new Date(...parts).toISOString(), NOW);
  assert.equal(start(2026, 0, 3, 14, 5), "Heute, 14:05");
  assert.match(start(2025, 0, 1, 12, 0), /^1\. Jän/);
});

test("the history names people, expressions, shares and days in German", () => {
  assert.equal(faceTitle(2), "Gesicht 2");
  assert.deepEqual([cellName(null), cellName("happy")], ["Niemand", "Fröhlich"]);
  assert.equal(describeStrip(["happy", "happy", "sad"]), "Meist fröhlich, dann traurig");
  assert.equal(describeRetention(1), "Sitzungen werden 1 Tag nach der Aufzeichnung gelöscht.");
  assert.equal(describeRetention(30), "Sitzungen werden 30 Tage nach der Aufzeichnung gelöscht.");
  assert.equal(plain(formatPercentage(1)), "100 %");
});

test("the Share panel describes links and asks its questions in German", () => {
  const link = { id: "a", kind: "watch", name: "Seminar", state: "open", video: true, visitors: 1 };
  const open = { ...link, expires_ms: ms(2026, 0, 4, 9, 30) };
  assert.equal(
    links.describeLink(open, NOW),
    "Zusehen · mit Bild · 1 Gast · endet morgen um 09:30",
  );
  assert.equal(links.deviceName("Chrome on Android"), "Chrome auf Android");
  const stop = questions.stopSharingQuestion({ links: [open], visitors: [{}, {}] });
  assert.match(stop.text, /^1 Link endet, und 2 Gäste werden getrennt\. /);
  assert.equal(questions.revokeLinkQuestion(link).title, "„Seminar“ widerrufen?");
});

test("a refusal is told by its meaning, with the server's words behind it", () => {
  const error = { code: "bad_import", message: "schema_version is 999." };
  assert.match(serverText(error), /^Diese Datei ist .+\. \(schema_version is 999\.\)$/);
});

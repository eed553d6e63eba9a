import assert from "node:assert/strict";
import { test } from "node:test";

import { LabelChanges } from "../../../static/js/live/label_sound.js";
import { PageSettings } from "../../../static/js/live/page_settings.js";
import { EventBus } from "../../../static/js/shared/event_bus.js";
import { linkMessage, readLink, writeLink } from "../../../static/js/shared/link_settings.js";

const server = { smoothingS: 0.25, unsureBelow: 0.4, maxFaces: 10 };

function pageSettings(search = "", stored = new Map()) {
  const bus = new EventBus();
  const preferences = {
    get: (name) => stored.get(name) ?? null,
    set: (name, value) => stored.set(name, value),
  };
  const { values } = readLink(search);
  const settings = new PageSettings({ bus, preferences, server, link: values });
  return { bus, settings, stored };
}

test("a link's settings are read; other parameters and those of nobody are left alone", () => {
  const { values, problems } = readLink(
    "?mirror=0&smoothing=0.5&unsure=0&faces=3&sound=1&show=bars,labels&utm=x&lang=de",
  );
  assert.deepEqual(values, {
    mirror: false,
    smoothing: 0.5,
    unsure: 0,
    faces: 3,
    sound: true,
    show: ["labels", "bars"],
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(readLink("?show=none").values, { show: [] });
});

for (const bad of [
  "mirror=yes",
  "mirror=",
  "mirror=toString",
  "smoothing=-1",
  "smoothing=11",
  "smoothing=0x1",
  "smoothing=NaN",
  "smoothing= 1",
  "unsure=1.01",
  "faces=0",
  "faces=2.5",
  "faces=65",
  "show=",
  "show=everything",
  "show=__proto__",
])
  test(`a link with ${bad} is told what is allowed`, () => {
    const { values, problems } = readLink(`?${bad}`);
    assert.deepEqual(values, {});
    assert.equal(problems.length, 1);
    const { text } = linkMessage(problems);
    assert.match(text, new RegExp(`^${bad.split("=")[0]}: allowed is .+; “.*” came\\.$`));
  });

test("parts that are not known are told, and the others are shown", () => {
  const { values, problems } = readLink("?show=bars,hats, affect");
  assert.deepEqual(values, { show: ["bars", "affect"] });
  assert.deepEqual([problems.length, problems[0].came], [1, "bars,hats, affect"]);
  assert.deepEqual(readLink("?show=labels,").values, { show: ["labels"] });
});

test("a page is offered what it can show, and has the settings that it names", () => {
  const { values, problems } = readLink("?show=bars,heatmap&scale=2&faces=3&mirror=on", {
    names: ["show", "mirror", "scale"],
    offered: ["bars"],
  });
  assert.deepEqual(values, { show: ["bars"], scale: 2, mirror: true });
  assert.equal(problems[0].name, "show");
});

test("bad values of a link are told in one message, cut where they are long", () => {
  const { problems } = readLink(`?mirror=${"x".repeat(10_000)}&faces=0`);
  const { text } = linkMessage(problems);
  assert.match(text, /mirror: .*faces: /);
  assert.ok(text.length < 200);
});

test("a link is written as it is read, and keeps what else stands in it", () => {
  const values = { mirror: false, smoothing: 0.5, show: ["labels", "bars"] };
  const href = writeLink("https://host:5443/?lang=de&mirror=1#x", values);
  assert.equal(href, "https://host:5443/?lang=de&mirror=0&smoothing=0.5&show=labels,bars");
  assert.deepEqual(readLink(new URL(href).search).values, values);
});

test("the link wins over what is stored and is not stored; a choice wins over the link", () => {
  const stored = new Map([["setting.smoothing", "1"]]);
  const { settings } = pageSettings("?smoothing=0.5&sound=1", stored);
  assert.equal(settings.values.smoothing, 0.5);
  assert.deepEqual([...stored], [["setting.smoothing", "1"]]);
  settings.choose("smoothing", 2);
  assert.equal(settings.values.smoothing, 2);
  assert.equal(pageSettings("", stored).settings.values.smoothing, 2);
  assert.equal(pageSettings("", stored).settings.values.sound, false);
});

test("a stored value that is broken counts as none", () => {
  const stored = new Map([
    ["setting.faces", "many"],
    ["setting.show", "labels"],
  ]);
  const { values } = pageSettings("", stored).settings;
  assert.deepEqual([values.faces, values.show], [10, ["labels"]]);
});

test("the server hears only what differs from its own values", () => {
  const { settings } = pageSettings("?smoothing=0.25&unsure=0.6&faces=2");
  assert.deepEqual(settings.forServer(), { unsure_below: 0.6, max_faces: 2 });
  settings.reset();
  assert.deepEqual(settings.forServer(), {});
});

test("every change is told, and the copied link carries what differs from the defaults", () => {
  const { bus, settings } = pageSettings();
  const told = [];
  bus.on("settings-changed", ({ values }) => told.push(values.show));
  settings.toggleShown("heatmap");
  settings.toggleShown("boxes");
  assert.deepEqual(told.at(-1), ["labels", "percentages", "bars", "heatmap", "second"]);
  settings.choose("mirror", false);
  assert.equal(
    settings.link("http://localhost:5000/"),
    "http://localhost:5000/?mirror=0&show=labels,percentages,bars,heatmap,second",
  );
  settings.reset();
  assert.equal(settings.link("http://localhost:5000/?faces=1"), "http://localhost:5000/");
});

test("a tone sounds when a face's label has changed and stays, not when it flickers", () => {
  const changes = new LabelChanges();
  const offer = (label, nowMs, sure = true) => changes.offer([{ id: 1, label, sure }], nowMs);
  assert.equal(offer("happy", 0), null);
  assert.equal(offer("happy", 500), null, "the first label is no change");
  assert.equal(offer("sad", 600), null);
  assert.equal(offer("happy", 700), null);
  assert.equal(offer("happy", 1200), null, "back before it was steady");
  assert.equal(offer("sad", 1300), null);
  assert.equal(offer("fear", 1500, false), null, "unsure says nothing");
  assert.equal(offer("sad", 1800), "sad");
  assert.equal(offer("sad", 2400), null);
});

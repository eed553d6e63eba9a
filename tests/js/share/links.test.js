import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  addressLabels,
  describeChanges,
  describeLink,
  describeOff,
  describeVisitor,
  deviceName,
  formatEnd,
  linkOfSession,
  linkToShow,
  ofOpenLinks,
} from "../../../static/js/share/links.js";
import {
  removeVisitorQuestion,
  revokeLinkQuestion,
  stopSharingQuestion,
} from "../../../static/js/share/questions.js";

const NOW = new Date(2026, 4, 3, 20, 0);
const at = (...parts) => new Date(...parts).getTime();
const link = (id, changes = {}) => ({
  id,
  kind: "join",
  name: `Name ${id}`,
  state: "open",
  session: null,
  video: false,
  visitors: 0,
  expires_ms: at(2026, 4, 3, 22, 40),
  urls: ["https://h/l/t"],
  ...changes,
});
const visitor = (id, changes = {}) => ({
  id,
  link: "j",
  device: "Chrome on Android",
  address: "192.168.1.7",
  since_ms: at(2026, 4, 3, 19, 5),
  streams: false,
  connections: 1,
  ...changes,
});

test("the link that is asked for is shown, else the newest to join, else any that is open", () => {
  const links = [
    link("w", { kind: "watch" }),
    link("new"),
    link("old"),
    link("gone", { state: "revoked" }),
  ];
  assert.equal(linkToShow(links, "old").id, "old");
  assert.equal(linkToShow(links, "gone").id, "new");
  assert.equal(linkToShow(links, null).id, "new");
  assert.equal(linkToShow([links[0], links[3]], null).id, "w");
  assert.equal(linkToShow([links[3]], "gone"), null);
  assert.equal(linkToShow([], null), null);
});

test("a session's own open link is found, not another's and not one that ended", () => {
  const of = (id, session, state = "open") => link(id, { kind: "session", session, state });
  const links = [link("j"), of("a", "s1", "revoked"), of("b", "s2"), of("c", "s1")];
  assert.equal(linkOfSession(links, "s1").id, "c");
  assert.equal(linkOfSession(links, "s3"), null);
});

test("addresses are named by where they work", () => {
  const addresses = [
    { url: "https://a.local:5443", kind: "name" },
    { url: "https://10.8.0.3:5443", kind: "vpn" },
  ];
  const urls = [
    "https://a.local:5443/l/t",
    "https://10.8.0.3:5443/l/t",
    "https://[fd00::1]:5443/l/t",
  ];
  assert.deepEqual(addressLabels(urls, addresses), [
    "a.local:5443 · by name",
    "10.8.0.3:5443 · VPN",
    "[fd00::1]:5443",
  ]);
});

test("a server that must be started to share says so, a missing network does not", () => {
  assert.deepEqual(
    [
      describeOff("Start it again with: make share").needsStart,
      describeOff("No network.").needsStart,
    ],
    [true, false],
  );
  assert.equal(describeOff("No network.").text, "No network.");
  assert.ok(describeOff(null).text);
});

test("the server's reasons are said in the reader's language", () => {
  const source = readFileSync(
    new URL("../../../fer_web/web/api/share_access.py", import.meta.url),
    "utf8",
  );
  const constants = [...source.matchAll(/^_NO\w+ = \(\n([\s\S]*?)\n\)$/gm)];
  const reasons = constants.map(([, lines]) => lines.replace(/^ *"|"$/gm, "").replaceAll("\n", ""));
  assert.equal(reasons.length, 2);
  const german = reasons.map((reason) => describeOff(reason, "de").text);
  // Without a table these are the English of the script, which is not the server's.
  for (const [i, reason] of reasons.entries()) assert.notEqual(german[i], reason);
  assert.notEqual(german[0], german[1]);
  assert.equal(describeOff("Something new.", "de").text, "Something new.");
});

test("a device keeps its names", () => {
  assert.deepEqual(["Chrome on Android", "Browser"].map(deviceName), [
    "Chrome on Android",
    "Browser",
  ]);
});

test("visitors go with their links", () => {
  const links = [link("a"), link("b", { state: "revoked" })];
  const share = {
    links,
    visitors: [
      visitor("v", { link: "a" }),
      visitor("w", { link: "b" }),
      visitor("x", { link: "gone" }),
    ],
  };
  assert.deepEqual(
    ofOpenLinks(share).visitors.map(({ id }) => id),
    ["v"],
  );
});

test("an end is told by the clock, and by its day when that is another one", () => {
  assert.match(formatEnd(at(2026, 4, 3, 22, 40), NOW), /^ends at .*10:40|22:40/);
  assert.match(formatEnd(at(2026, 4, 4, 10, 40), NOW), /^ends tomorrow at /);
  assert.match(formatEnd(at(2026, 4, 6, 10, 40), NOW), /^ends .*6.* at /);
});

test("a link is described by what it opens, for whom, and until when", () => {
  assert.match(describeLink(link("j", { visitors: 2 }), NOW), /^Join · 2 visitors · ends at /);
  assert.match(
    describeLink(link("w", { kind: "watch", video: true }), NOW),
    /^Watch · with the picture · nobody yet · /,
  );
  assert.match(describeLink(link("w", { kind: "watch" }), NOW), /without the picture/);
  const ended = ["revoked", "expired", "stopped"].map((state) =>
    describeLink(link("j", { state }), NOW),
  );
  assert.deepEqual(ended, ["Join · Revoked", "Join · Time is over", "Join · Sharing was stopped"]);
});

test("a visitor is described by place, time and link, and by a page that was closed", () => {
  assert.match(
    describeVisitor(visitor("v"), "Visitors", NOW),
    /^192\.168\.1\.7 · since [0-9]{1,2}:05.* · Visitors$/,
  );
  assert.match(describeVisitor(visitor("v", { connections: 0 }), "", NOW), /page not open$/);
  assert.doesNotMatch(
    describeVisitor(visitor("v", { since_ms: at(2026, 4, 2, 19, 5) }), "G", NOW),
    /since [0-9]{1,2}:05/,
  );
});

test("who came, who left and what ended is said once, and the first look says nothing", () => {
  const before = { links: [link("a"), link("b", { state: "expired" })], visitors: [visitor("v")] };
  const after = {
    links: [link("a", { state: "revoked" }), link("b", { state: "expired" })],
    visitors: [visitor("w", { device: "Safari on iPhone" })],
  };
  assert.equal(describeChanges(null, after), "");
  assert.equal(describeChanges(after, after), "");
  assert.equal(
    describeChanges(before, after),
    "Safari on iPhone is connected. Chrome on Android has left. The link “Name a” has ended.",
  );
});

test("questions say who is disconnected and what stays possible", () => {
  assert.match(
    revokeLinkQuestion(link("a", { visitors: 1 })).text,
    /^1 visitor will be disconnected at once\./,
  );
  assert.doesNotMatch(revokeLinkQuestion(link("a")).text, /visitor/);
  assert.match(
    removeVisitorQuestion(visitor("v"), "Visitors").text,
    /The link “Visitors” still works.*revoke it/s,
  );
  const share = { links: [link("a"), link("b", { state: "revoked" })], visitors: [] };
  assert.equal(
    stopSharingQuestion(share).text,
    "1 link will end. You can share again with a new link.",
  );
});

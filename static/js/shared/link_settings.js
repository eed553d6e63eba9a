/**
 * Reads the settings that a link carries, such as `?mirror=0&smoothing=0.5&show=labels,bars`, and
 * writes them: for the live page, for watchers and for the overlay. Pure.
 *
 * @typedef {object} LinkSettings what a link says; absent: nothing
 * @property {boolean} [mirror]
 * @property {number} [smoothing] seconds
 * @property {number} [unsure] confidence under which a face is unsure, 0-1
 * @property {number} [faces] at most
 * @property {boolean} [sound]
 * @property {readonly string[]} [show] some of SHOWN
 * @property {number} [scale] of labels and bars
 *
 * @typedef {{name: string, allowed: string, came: string}} LinkProblem
 */
import { t } from "./words.js";

/** What is more than a label: each is off until somebody wants it, but for the second expression. */
export const AFFECT_PARTS = Object.freeze(["second", "affect", "intensity", "mood", "since"]);
/** What can be drawn, in the order in which it is offered. */
export const SHOWN = Object.freeze([
  "boxes",
  "labels",
  "percentages",
  "bars",
  "heatmap",
  ...AFFECT_PARTS,
]);
export const SHOWN_AT_FIRST = Object.freeze(["boxes", "labels", "percentages", "bars", "second"]);
export const LIMITS = Object.freeze({
  smoothing: { low: 0, high: 10 },
  unsure: { low: 0, high: 1 },
  faces: { low: 1, high: 64 },
  scale: { low: 0.5, high: 3 },
});
const MAX_CAME = 30;

const FLAGS = { 0: false, 1: true, off: false, on: true };
const flag = {
  read: (text) => ({ value: Object.hasOwn(FLAGS, text) ? FLAGS[text] : undefined }),
  write: (value) => (value ? "1" : "0"),
  allowed: () => t("0 or 1"),
};
const number = ({ low, high }, isWhole = false) => ({
  read: (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    const fits = value >= low && value <= high && (!isWhole || Number.isInteger(value));
    return { value: fits ? value : undefined };
  },
  write: String,
  allowed: () =>
    isWhole
      ? t("a whole number from {low} to {high}", { low, high })
      : t("a number from {low} to {high}", { low, high }),
});
const show = {
  /** Names that are not known are told, and the others count. */
  read: (text, offered) => {
    const names = text === "none" ? [] : text.split(",").map((name) => name.trim());
    const known = offered.filter((name) => names.includes(name));
    const isKnown = names.every((name) => offered.includes(name));
    return { value: isKnown || known.length > 0 ? known : undefined, isWrong: !isKnown };
  },
  write: (names) => names.join(",") || "none",
  allowed: (offered) => t("“none”, or some of {names}, with commas", { names: offered.join(", ") }),
};
const KINDS = {
  mirror: flag,
  smoothing: number(LIMITS.smoothing),
  unsure: number(LIMITS.unsure),
  faces: number(LIMITS.faces, true),
  sound: flag,
  show,
  scale: number(LIMITS.scale),
};
/** The settings of the live page. */
const OF_LIVE_PAGE = Object.freeze(["mirror", "smoothing", "unsure", "faces", "sound", "show"]);

/**
 * @param {string} search of the page's address
 * @param {{names?: readonly string[], offered?: readonly string[]}} [page] which settings the page
 *   has, and what it can show; the live page's unless told
 * @returns {{values: LinkSettings, problems: LinkProblem[]}} of a name that comes twice the last counts
 */
export function readLink(search, { names = OF_LIVE_PAGE, offered = SHOWN } = {}) {
  const values = {};
  const problems = [];
  for (const [name, came] of new Map(new URLSearchParams(search))) {
    if (!names.includes(name)) continue;
    const kind = KINDS[name];
    const { value, isWrong = value === undefined } = kind.read(came, offered);
    if (value !== undefined) values[name] = value;
    if (isWrong) problems.push({ name, allowed: kind.allowed(offered), came });
  }
  return { values, problems };
}

/** @param {string} href @param {LinkSettings} values @returns {string} the address with them */
export function writeLink(href, values) {
  const url = new URL(href);
  for (const name of OF_LIVE_PAGE) {
    url.searchParams.delete(name);
    if (values[name] !== undefined && values[name] !== null)
      url.searchParams.set(name, KINDS[name].write(values[name]));
  }
  url.hash = "";
  // A comma needs no escape here, and people read these addresses.
  return url.href.replaceAll("%2C", ",");
}

/** @param {readonly LinkProblem[]} problems at least one @returns {object} one message for all */
export function linkMessage(problems) {
  const lines = problems.map(({ name, allowed, came }) =>
    t("{name}: allowed is {allowed}; “{came}” came.", {
      name,
      allowed,
      came: came.length > MAX_CAME ? `${came.slice(0, MAX_CAME)}…` : came,
    }),
  );
  return {
    id: "link-settings",
    tone: "warning",
    title: t("The link has settings that do not work"),
    text: lines.join(" "),
  };
}

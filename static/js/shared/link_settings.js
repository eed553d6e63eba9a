/**
 * Reads the settings that a link carries, such as `?mirror=0&smoothing=0.5&show=labels,bars`, and
 * writes them. Pure.
 *
 * @typedef {object} LinkSettings what a link says; absent: nothing
 * @property {boolean} [mirror]
 * @property {number} [smoothing] seconds
 * @property {number} [unsure] confidence under which a face is unsure, 0-1
 * @property {number} [faces] at most
 * @property {boolean} [sound]
 * @property {readonly string[]} [show] some of SHOWN
 *
 * @typedef {{name: string, allowed: string, came: string}} LinkProblem
 */
import { t } from "./words.js";

/** What can be drawn, in the order in which it is offered. */
export const SHOWN = Object.freeze(["boxes", "labels", "percentages", "bars", "heatmap"]);
export const SHOWN_AT_FIRST = Object.freeze(["boxes", "labels", "percentages", "bars"]);
export const LIMITS = Object.freeze({
  smoothing: { low: 0, high: 10 },
  unsure: { low: 0, high: 1 },
  faces: { low: 1, high: 64 },
});
const MAX_CAME = 30;

const flag = {
  read: (text) => (text === "0" || text === "1" ? text === "1" : undefined),
  write: (value) => (value ? "1" : "0"),
  allowed: () => t("0 or 1"),
};
const number = ({ low, high }, isWhole = false) => ({
  read: (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    const fits = value >= low && value <= high && (!isWhole || Number.isInteger(value));
    return fits ? value : undefined;
  },
  write: String,
  allowed: () =>
    isWhole
      ? t("a whole number from {low} to {high}", { low, high })
      : t("a number from {low} to {high}", { low, high }),
});
const shown = {
  read: (text) => {
    const names = text === "none" ? [] : text.split(",");
    return names.every((name) => SHOWN.includes(name))
      ? SHOWN.filter((name) => names.includes(name))
      : undefined;
  },
  write: (names) => names.join(",") || "none",
  allowed: () => t("“none”, or some of {names}, with commas", { names: SHOWN.join(", ") }),
};
const KINDS = {
  mirror: flag,
  smoothing: number(LIMITS.smoothing),
  unsure: number(LIMITS.unsure),
  faces: number(LIMITS.faces, true),
  sound: flag,
  show: shown,
};

/**
 * @param {string} search of the page's address
 * @returns {{values: LinkSettings, problems: LinkProblem[]}} of a name that comes twice the last counts
 */
export function readLink(search) {
  const values = {};
  const problems = [];
  for (const [name, came] of new Map(new URLSearchParams(search))) {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : null;
    if (!kind) continue;
    const value = kind.read(came);
    if (value === undefined) problems.push({ name, allowed: kind.allowed(), came });
    else values[name] = value;
  }
  return { values, problems };
}

/** @param {string} href @param {LinkSettings} values @returns {string} the address with them */
export function writeLink(href, values) {
  const url = new URL(href);
  for (const [name, kind] of Object.entries(KINDS)) {
    url.searchParams.delete(name);
    if (values[name] !== undefined && values[name] !== null)
      url.searchParams.set(name, kind.write(values[name]));
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

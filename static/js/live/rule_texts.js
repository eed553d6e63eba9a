/** What rules may say, and how they are worded. Pure. */
import { capitalise, emotionName } from "../shared/format.js";
import { formatNumber, plural, t } from "../shared/words.js";

/** As the server: fer_web/events/rules.py. */
export const MAX_RULES = 20;
export const MAX_FOR_S = 3600;
export const MAX_PEOPLE = 10;
export const EFFECTS = Object.freeze(["marker", "sound", "send"]);
const EMOTIONS = ["happy", "sad", "angry", "surprise", "fear", "disgust", "neutral"];
export const WHEN = Object.freeze([...EMOTIONS, "unsure", "anyone", "nobody"]);
export const NEW_RULE = Object.freeze({
  when: "happy",
  for_s: 3,
  people: 1,
  effects: Object.freeze(["marker"]),
});
const MAX_TITLE = 60;

const OTHERS = {
  unsure: () => t("Unsure"),
  anyone: () => t("Anyone"),
  nobody: () => t("Nobody"),
};

/** @param {string} when one of WHEN */
export const whenName = (when) => OTHERS[when]?.() ?? capitalise(emotionName(when));

/**
 * @param {{when: string, for_s: number, people: number}} rule
 * @returns {string} such as "2 people: Happy for 3 s", at most as long as the server takes
 */
export function ruleTitle({ when, for_s: seconds, people }) {
  const who =
    people > 1 && when !== "nobody"
      ? plural(people, "{count} person: {what}", "{count} people: {what}", { what: whenName(when) })
      : whenName(when);
  const title = seconds
    ? t("{what} for {seconds} s", { what: who, seconds: formatNumber(seconds) })
    : who;
  return [...title].slice(0, MAX_TITLE).join("");
}

/**
 * @param {string | null} text what this browser stored
 * @returns {any[]} its rules; those that no longer fit are as good as none
 */
export function readRules(text) {
  try {
    const stored = JSON.parse(text ?? "[]");
    return Array.isArray(stored) ? stored.filter(fits).slice(0, MAX_RULES).map(only) : [];
  } catch {
    return [];
  }
}

/** @param {any} rule */
export function fits(rule) {
  return (
    WHEN.includes(rule?.when) &&
    Number.isFinite(rule.for_s) &&
    rule.for_s >= 0 &&
    rule.for_s <= MAX_FOR_S &&
    Number.isInteger(rule.people) &&
    rule.people >= 1 &&
    rule.people <= MAX_PEOPLE &&
    Array.isArray(rule.effects) &&
    rule.effects.length > 0 &&
    rule.effects.every((effect) => EFFECTS.includes(effect))
  );
}

const only = ({ when, for_s, people, effects }) => ({ when, for_s, people, effects });

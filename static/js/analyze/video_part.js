/** Reads which part of a video is wanted. Pure. */
import { t } from "../shared/words.js";

const TIME = /^(\d{1,6}:){0,2}\d{1,6}([.,]\d{1,6})?$/;
const MAX_EVERY = 100_000;

/** @param {string} text 90, 1:30 or 1:02:03.5 @returns {number | null} seconds; null: it is no time */
export function secondsOf(text) {
  if (!TIME.test(text)) return null;
  return text
    .replace(",", ".")
    .split(":")
    .reduce((seconds, part) => 60 * seconds + Number(part), 0);
}

/**
 * @param {{start: string, end: string, every: string}} texts empty ones stand for all of a video
 * @returns {{part: Record<string, string>, problem: "" | string, field: string}} part: arguments of
 *   the API; problem: what is wrong with which field, for people
 */
export function readVideoPart({ start, end, every }) {
  const part = {};
  for (const [field, text] of Object.entries({ start: start.trim(), end: end.trim() })) {
    if (text === "") continue;
    const seconds = secondsOf(text);
    if (seconds === null)
      return { part: {}, field, problem: t("Write a time such as 90, 1:30 or 1:02:03.") };
    part[field] = String(seconds);
  }
  if (part.end !== undefined && Number(part.end) <= Number(part.start ?? 0))
    return { part: {}, field: "end", problem: t("The end must be after the start.") };
  const count = every.trim() === "" ? 1 : Number(every);
  if (!Number.isInteger(count) || count < 1 || count > MAX_EVERY)
    return { part: {}, field: "every", problem: t("Write a whole number from 1.") };
  if (count > 1) part.every = String(count);
  return { part, field: "", problem: "" };
}

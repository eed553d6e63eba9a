/** Writes dates of sessions, in the reader's own time zone. Pure but for the locale. */
import { locale, t } from "../shared/words.js";

/**
 * @param {string} iso UTC
 * @param {Date} now
 * @returns {string} such as "Today, 14:05" or "3 May 2026, 14:05"
 */
export function formatStart(iso, now) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  const time = date.toLocaleTimeString(locale, { timeStyle: "short" });
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (days === 0) return t("Today, {time}", { time });
  if (days === 1) return t("Yesterday, {time}", { time });
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return `${date.toLocaleDateString(locale, { day: "numeric", month: "short", year })}, ${time}`;
}

// Noon, because a day may have 23 or 25 hours.
const midnight = (date) =>
  new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime();

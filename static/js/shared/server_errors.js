/**
 * Says what the server's error means in the reader's language, by its code. The server's own words,
 * which have the details, are English and stand behind it. Pure.
 */
import { language, t } from "./words.js";

const MEANINGS = {
  bad_frame: t("The picture could not be read."),
  frame_too_large: t("The picture is too large."),
  server_full: t("All places of this server are taken. Try again later."),
  overloaded: t("The server has too much to do. Try again later."),
  too_many_messages: t("This page sent too much at once."),
  slow_reader: t("This page did not read what the server sent."),
  recording_stopped: t("The recording has ended."),
  recording_gap: t("Some of the recording is missing."),
  no_owner: t("This browser keeps no cookie, so nothing can be recorded for it."),
  database_unavailable: t("The history cannot be reached just now."),
  database_locked: t("Another program holds the history."),
  database_full: t("The history has no room left."),
  not_found: t("It is not there any more."),
  forbidden: t("This is not allowed here."),
  bad_value: t("A value is not allowed."),
  bad_import: t("This file is not a session's export that can be read."),
  share_refused: t("Sharing is not possible just now."),
  internal: t("Something failed on the server. Its log says why."),
};

/**
 * @param {{code?: string, message: string}} error
 * @param {string} [tag] of the language
 * @returns {string} the server's words; in another language their meaning first
 */
export function serverText({ code, message }, tag = language) {
  const meaning = Object.hasOwn(MEANINGS, code ?? "") ? MEANINGS[code] : "";
  if (tag === "en" || meaning === "") return message;
  return message ? `${meaning} (${message})` : meaning;
}

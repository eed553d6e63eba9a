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
  bad_image: t("The picture is damaged or cannot be read."),
  empty_image: t("The file is empty."),
  not_an_image: t("This file is no picture that can be read."),
  image_too_large: t("The picture is too large."),
  bad_video: t("The video is damaged or cannot be read."),
  not_a_video: t("This file is no video that can be read."),
  video_too_large: t("The video is too large or too long."),
  video_not_written: t("The video with boxes could not be written."),
  unsupported_media_type: t("The server does not take files of this kind."),
  bad_folder: t("The folder cannot be tested."),
  disk_full: t("The server's disk has no room left."),
  too_slow: t("The upload was too slow."),
  too_many_jobs: t("The server has too many tasks of this kind. Try again later."),
  not_ready: t("This is not ready yet."),
  bad_import: t("This file is not a session's export that can be read."),
  share_refused: t("Sharing is not possible just now."),
  not_found: t("The server does not have this, or no longer."),
  forbidden: t("This is not allowed here."),
  bad_value: t("The server does not accept a value that was sent."),
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

/** Says why a visitor's time here is over, and what to do then. Connecting again would not help. */
import { t } from "./words.js";

const ASK = t("Ask the host for a new link, and open it here.");

/** @type {Readonly<Record<string, {title: string, text: string, steps: readonly string[]}>>} */
const GOODBYES = Object.freeze({
  link_revoked: {
    title: t("The host withdrew this link"),
    text: t("Your camera is off, and nothing is sent any more."),
    steps: [ASK],
  },
  link_expired: {
    title: t("This link's time is over"),
    text: t("Each link ends by itself. Your camera is off, and nothing is sent any more."),
    steps: [ASK],
  },
  sharing_stopped: {
    title: t("The host stopped sharing"),
    text: t("Your camera is off, and nothing is sent any more."),
    steps: [t("When the host shares again, open the new link.")],
  },
  visitor_removed: {
    title: t("The host removed you"),
    text: t("Your camera is off, and nothing is sent any more."),
    steps: [t("If that was a mistake, talk to the host: a new link lets you in again.")],
  },
  link_unknown: {
    title: t("This link is not known here"),
    text: t(
      "The server does not know the link that this page was opened with. Your camera is off.",
    ),
    steps: [ASK],
  },
  link_needed: {
    title: t("You need a link from the host"),
    text: t(
      "This server is open only to those with a link that the host made. Your camera is off.",
    ),
    steps: [ASK],
  },
});

/**
 * @param {{code?: string} | null | undefined} reason the server's, from `closing` or a refused
 *   connection
 * @returns {{kind: string, title: string, text: string, steps: readonly string[], isFinal: true} |
 *   null} null: the page may come back
 */
export function goodbyeOf(reason) {
  const code = reason?.code ?? "";
  return Object.hasOwn(GOODBYES, code) ? { kind: code, isFinal: true, ...GOODBYES[code] } : null;
}

/** Says why a visitor's time here is over, and what to do then. Connecting again would not help. */

const ASK = "Ask the host for a new link, and open it here.";

/** @type {Readonly<Record<string, {title: string, text: string, steps: readonly string[]}>>} */
const GOODBYES = Object.freeze({
  link_revoked: {
    title: "The host withdrew this link",
    text: "Your camera is off, and nothing is sent any more.",
    steps: [ASK],
  },
  link_expired: {
    title: "This link's time is over",
    text: "Each link ends by itself. Your camera is off, and nothing is sent any more.",
    steps: [ASK],
  },
  sharing_stopped: {
    title: "The host stopped sharing",
    text: "Your camera is off, and nothing is sent any more.",
    steps: ["When the host shares again, open the new link."],
  },
  visitor_removed: {
    title: "The host removed you",
    text: "Your camera is off, and nothing is sent any more.",
    steps: ["If that was a mistake, talk to the host: a new link lets you in again."],
  },
  link_unknown: {
    title: "This link is not known here",
    text: "The server does not know the link that this page was opened with. Your camera is off.",
    steps: [ASK],
  },
  link_needed: {
    title: "You need a link from the host",
    text: "This server is open only to those with a link that the host made. Your camera is off.",
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

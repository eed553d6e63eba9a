/**
 * Says what links, addresses and visitors are called, and which of them is shown. Pure but for the
 * locale.
 */
import { capitalise, formatCount } from "../shared/format.js";

/** What each kind of link lets its visitors do. */
export const KINDS = Object.freeze({
  join: { label: "Join with their own camera", short: "Join", icon: "camera", name: "Visitors" },
  watch: { label: "Watch this camera", short: "Watch", icon: "eye", name: "Watchers" },
  session: {
    label: "Read this session",
    short: "Session, read-only",
    icon: "history",
    name: "Session",
  },
});

const ADDRESS_KINDS = {
  public: "public",
  name: "by name",
  lan: "this network",
  vpn: "VPN",
  container: "containers",
};

const ENDED = { expired: "Time is over", revoked: "Revoked", stopped: "Sharing was stopped" };

/**
 * The same without the visitors of links that ended: they are not here any more.
 *
 * @param {import("./share_api.js").Share} share
 */
export function ofOpenLinks(share) {
  const open = new Set(share.links.filter(isOpen).map(({ id }) => id));
  return { ...share, visitors: share.visitors.filter(({ link }) => open.has(link)) };
}

/**
 * Why nothing can be shared, and whether a new start of the server would mend it.
 *
 * @param {string | null} reason the server's
 */
export function describeOff(reason) {
  const text = reason ?? "The server gives no reason.";
  const needsStart = /\bmake share\b/.test(text);
  return {
    title: needsStart ? "This server is not shared yet" : "Nothing can be shared now",
    text,
    needsStart,
  };
}

/** @param {import("./share_api.js").SharedLink} link */
export const isOpen = (link) => link.state === "open";

/**
 * @param {readonly import("./share_api.js").SharedLink[]} links newest first
 * @param {string | null} wantedId what the host asked to see
 * @returns {import("./share_api.js").SharedLink | null} null: there is no open link
 */
export function linkToShow(links, wantedId) {
  const open = links.filter(isOpen);
  return (
    open.find(({ id }) => id === wantedId) ??
    open.find(({ kind }) => kind === "join") ??
    open[0] ??
    null
  );
}

/**
 * @param {readonly import("./share_api.js").SharedLink[]} links
 * @param {string} session
 */
export const linkOfSession = (links, session) =>
  links.find((link) => isOpen(link) && link.kind === "session" && link.session === session) ?? null;

/**
 * The addresses of one link, to choose from.
 *
 * @param {readonly string[]} urls of the link
 * @param {readonly {url: string, kind: string}[]} addresses of the server
 * @returns {string[]} a label for each of `urls`
 */
export function addressLabels(urls, addresses) {
  return urls.map((url) => {
    const { origin, host } = new URL(url);
    const kind = addresses.find((address) => new URL(address.url).origin === origin)?.kind;
    return kind in ADDRESS_KINDS ? `${host} · ${ADDRESS_KINDS[kind]}` : host;
  });
}

/** @param {import("./share_api.js").SharedLink} link @param {Date} now */
export function describeLink(link, now) {
  const picture =
    link.kind === "watch" ? [link.video ? "with the picture" : "without the picture"] : [];
  const end = isOpen(link)
    ? formatEnd(link.expires_ms, now)
    : (ENDED[link.state] ?? capitalise(link.state));
  const visitors =
    link.visitors === 0 && isOpen(link) ? "nobody yet" : formatCount(link.visitors, "visitor");
  return [
    KINDS[link.kind]?.short ?? link.kind,
    ...picture,
    ...(isOpen(link) ? [visitors] : []),
    end,
  ].join(" · ");
}

/**
 * @param {number} expiresMs since 1970
 * @param {Date} now
 * @returns {string} such as "ends at 22:40" or "ends tomorrow at 10:40"
 */
export function formatEnd(expiresMs, now) {
  const end = new Date(expiresMs);
  const days = daysBetween(now, end);
  if (days === 0) return `ends at ${clock(end)}`;
  if (days === 1) return `ends tomorrow at ${clock(end)}`;
  return `ends ${end.toLocaleDateString(undefined, { weekday: "short", day: "numeric", month: "short" })} at ${clock(end)}`;
}

/** @param {import("./share_api.js").Visitor} visitor @param {string} linkName @param {Date} now */
export function describeVisitor({ address, since_ms, connections }, linkName, now) {
  const since = new Date(since_ms);
  const day =
    daysBetween(since, now) === 0
      ? ""
      : `${since.toLocaleDateString(undefined, { day: "numeric", month: "short" })}, `;
  const away = connections === 0 ? ["page not open"] : [];
  return [address, `since ${day}${clock(since)}`, linkName, ...away].filter(Boolean).join(" · ");
}

/**
 * What a screen reader is told of between two looks.
 *
 * @param {import("./share_api.js").Share | null} before
 * @param {import("./share_api.js").Share} after
 * @returns {string} empty: nothing worth a word
 */
export function describeChanges(before, after) {
  if (!before) return "";
  const arrived = without(after.visitors, before.visitors).map(
    ({ device }) => `${device} is connected.`,
  );
  const left = without(before.visitors, after.visitors).map(({ device }) => `${device} has left.`);
  const wasOpen = new Set(before.links.filter(isOpen).map(({ id }) => id));
  const ended = after.links
    .filter((link) => wasOpen.has(link.id) && !isOpen(link))
    .map(({ name }) => `The link “${name}” has ended.`);
  return [...arrived, ...left, ...ended].join(" ");
}

const without = (all, others) => all.filter(({ id }) => !others.some((other) => other.id === id));

const clock = (date) => date.toLocaleTimeString(undefined, { timeStyle: "short" });

const daysBetween = (from, to) => Math.round((noon(to) - noon(from)) / 86_400_000);

// Noon, because a day may have 23 or 25 hours.
const noon = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime();

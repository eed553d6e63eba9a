/**
 * Says what links, addresses and visitors are called, and which of them is shown. Pure but for the
 * locale.
 */
import { capitalise } from "../shared/format.js";
import { language, locale, plural, t } from "../shared/words.js";

/** What each kind of link lets its visitors do. */
export const KINDS = Object.freeze({
  join: {
    label: t("Join with their own camera"),
    short: t("Join"),
    icon: "camera",
    name: t("Visitors"),
  },
  watch: { label: t("Watch this camera"), short: t("Watch"), icon: "eye", name: t("Watchers") },
  session: {
    label: t("Read this session"),
    short: t("Session, read-only"),
    icon: "history",
    name: t("Session"),
  },
});

const ADDRESS_KINDS = {
  public: t("public"),
  name: t("by name"),
  lan: t("this network"),
  vpn: "VPN",
  container: t("containers"),
};

const ENDED = {
  expired: t("Time is over"),
  revoked: t("Revoked"),
  stopped: t("Sharing was stopped"),
};

/**
 * The same without the visitors of links that ended: they are not here any more.
 *
 * @param {import("./share_api.js").Share} share
 */
export function ofOpenLinks(share) {
  const open = new Set(share.links.filter(isOpen).map(({ id }) => id));
  return { ...share, visitors: share.visitors.filter(({ link }) => open.has(link)) };
}

/** The server's own reasons are English. */
const REASONS = [
  [
    /\bmake share\b/,
    t(
      "This server was started for this machine alone. To share, stop it and start it again with this command (without make: {command}):",
      { command: "python app.py --share" },
    ),
  ],
  [
    /\bno network\b/,
    t("This machine is on no network by which others could reach it. Connect it to one."),
  ],
];

function inWords(reason, tag) {
  const known = REASONS.find(([mark]) => mark.test(reason));
  return tag === "en" || !known ? reason : known[1];
}

/**
 * Why nothing can be shared, and whether a new start of the server would mend it.
 *
 * @param {string | null} reason the server's
 * @param {string} [tag] of the language
 */
export function describeOff(reason, tag = language) {
  const needsStart = /\bmake share\b/.test(reason ?? "");
  return {
    title: needsStart ? t("This server is not shared yet") : t("Nothing can be shared now"),
    text: reason ? inWords(reason, tag) : t("The server gives no reason."),
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
    link.kind === "watch" ? [link.video ? t("with the picture") : t("without the picture")] : [];
  const end = isOpen(link)
    ? formatEnd(link.expires_ms, now)
    : (ENDED[link.state] ?? capitalise(link.state));
  const visitors =
    link.visitors === 0
      ? t("nobody yet")
      : plural(link.visitors, "{count} visitor", "{count} visitors");
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
  const time = clock(end);
  if (days === 0) return t("ends at {time}", { time });
  if (days === 1) return t("ends tomorrow at {time}", { time });
  const day = end.toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "short" });
  return t("ends {day} at {time}", { day, time });
}

/** @param {string} device the server's English, such as "Chrome on Android" */
export function deviceName(device) {
  const [browser, system] = device.split(" on ");
  return system ? t("{browser} on {system}", { browser, system }) : device;
}

/** @param {import("./share_api.js").Visitor} visitor @param {string} linkName @param {Date} now */
export function describeVisitor({ address, since_ms, connections }, linkName, now) {
  const since = new Date(since_ms);
  const day =
    daysBetween(since, now) === 0
      ? ""
      : `${since.toLocaleDateString(locale, { day: "numeric", month: "short" })}, `;
  const away = connections === 0 ? [t("page not open")] : [];
  const time = `${day}${clock(since)}`;
  return [address, t("since {time}", { time }), linkName, ...away].filter(Boolean).join(" · ");
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
  const arrived = without(after.visitors, before.visitors).map(({ device }) =>
    t("{device} is connected.", { device: deviceName(device) }),
  );
  const left = without(before.visitors, after.visitors).map(({ device }) =>
    t("{device} has left.", { device: deviceName(device) }),
  );
  const wasOpen = new Set(before.links.filter(isOpen).map(({ id }) => id));
  const ended = after.links
    .filter((link) => wasOpen.has(link.id) && !isOpen(link))
    .map(({ name }) => t("The link “{name}” has ended.", { name }));
  return [...arrived, ...left, ...ended].join(" ");
}

const without = (all, others) => all.filter(({ id }) => !others.some((other) => other.id === id));

const clock = (date) => date.toLocaleTimeString(locale, { timeStyle: "short" });

const daysBetween = (from, to) => Math.round((noon(to) - noon(from)) / 86_400_000);

// Noon, because a day may have 23 or 25 hours.
const noon = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime();

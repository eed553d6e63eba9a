/** Words the questions to the host before something that cannot be undone. Pure. */
import { formatCount } from "../shared/format.js";
import { isOpen } from "./links.js";

/** @param {import("./share_api.js").SharedLink} link */
export function revokeLinkQuestion({ name, visitors }) {
  const who =
    visitors > 0 ? `${formatCount(visitors, "visitor")} will be disconnected at once. ` : "";
  return {
    title: `Revoke “${name}”?`,
    text: `${who}The link opens nothing any more. You can make a new one.`,
    label: "Revoke",
  };
}

/** @param {import("./share_api.js").Visitor} visitor @param {string} linkName */
export function removeVisitorQuestion({ device }, linkName) {
  const text =
    `They are disconnected at once, and this browser of theirs is not let in again. The link “${linkName}” still ` +
    "works for others, and for them with another browser: to keep them out, revoke it.";
  return { title: `Remove ${device}?`, text, label: "Remove" };
}

/** @param {import("./share_api.js").Share} share */
export function stopSharingQuestion({ links, visitors }) {
  const ends = `${formatCount(links.filter(isOpen).length, "link")} will end`;
  const who =
    visitors.length > 0
      ? `, and ${formatCount(visitors.length, "visitor")} will be disconnected`
      : "";
  return {
    title: "Stop sharing?",
    text: `${ends}${who}. You can share again with a new link.`,
    label: "Stop sharing",
  };
}

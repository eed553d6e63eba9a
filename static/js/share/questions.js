/** Words the questions to the host before something that cannot be undone. Pure. */
import { plural, t } from "../shared/words.js";
import { deviceName, isOpen } from "./links.js";

/** @param {import("./share_api.js").SharedLink} link */
export function revokeLinkQuestion({ name, visitors }) {
  const who = plural(
    visitors,
    "{count} visitor will be disconnected at once.",
    "{count} visitors will be disconnected at once.",
  );
  const end = t("The link opens nothing any more. You can make a new one.");
  return {
    title: t("Revoke “{name}”?", { name }),
    text: visitors > 0 ? `${who} ${end}` : end,
    label: t("Revoke"),
  };
}

/** @param {import("./share_api.js").Visitor} visitor @param {string} linkName */
export function removeVisitorQuestion({ device }, linkName) {
  const text = t(
    "They are disconnected at once, and this browser of theirs is not let in again. The link “{name}” still works for others, and for them with another browser: to keep them out, revoke it.",
    { name: linkName },
  );
  return { title: t("Remove {device}?", { device: deviceName(device) }), text, label: t("Remove") };
}

/** @param {import("./share_api.js").Share} share */
export function stopSharingQuestion({ links, visitors }) {
  const open = links.filter(isOpen).length;
  const said = {
    links: plural(open, "{count} link will end", "{count} links will end"),
    visitors: plural(
      visitors.length,
      "{count} visitor will be disconnected",
      "{count} visitors will be disconnected",
    ),
  };
  const isAlone = visitors.length === 0;
  return {
    title: t("Stop sharing?"),
    text: isAlone
      ? t("{links}. You can share again with a new link.", said)
      : t("{links}, and {visitors}. You can share again with a new link.", said),
    label: t("Stop sharing"),
  };
}

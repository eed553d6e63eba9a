/** Composition root of the Share panel, on every page that has templates/_share.html. */
import { find } from "../shared/page.js";
import { t } from "../shared/words.js";
import { ConfirmView } from "../shared/views/confirm.js";
import { removeVisitorQuestion, revokeLinkQuestion, stopSharingQuestion } from "./questions.js";
import { ShareApi, qrPath } from "./share_api.js";
import { ShareControl } from "./share_control.js";
import { LinkFormView } from "./views/link_form.js";
import { LinkListView } from "./views/link_list.js";
import { ShareDialogView } from "./views/share_dialog.js";
import { ShownLinkView } from "./views/shown_link.js";
import { VisitorListView } from "./views/visitor_list.js";

/**
 * @param {import("../shared/page.js").Page} page its bus takes share-requested and
 *   session-share-requested {session, name}
 * @param {{session?: string | null}} [about] the session that the page is about
 */
export function buildSharePanel({ bus, fetch }, { session = null } = {}) {
  // Visitors have no panel.
  if (!find("share")) return;
  const api = new ShareApi(fetch);
  const timers = { set: (act, ms) => setTimeout(act, ms), clear: (timer) => clearTimeout(timer) };
  const sharing = new ShareControl({ api, bus, timers });
  buildDialog(bus);
  buildLinks(bus);
  wireLook(bus, sharing);
  wireLinks(bus, sharing, session);
  wireEnds(bus, sharing);
}

function buildDialog(bus) {
  new ShareDialogView(
    {
      dialog: find("share"),
      title: find("share-title"),
      opener: find("share-open"),
      close: find("share-close"),
      said: find("share-said"),
      trouble: find("share-trouble"),
      troubleTitle: find("share-trouble-title"),
      troubleText: find("share-trouble-text"),
      dismiss: find("share-trouble-dismiss"),
      offTitle: find("share-off-title"),
      reason: find("share-reason"),
      command: find("share-command"),
      failedText: find("share-failed-text"),
      nowhere: find("share-nowhere"),
      trust: find("share-trust"),
      fingerprint: find("share-fingerprint"),
      stop: find("share-stop"),
    },
    bus,
  );
  const visitors = {
    list: find("share-visitors"),
    none: find("share-visitors-none"),
    count: find("share-visitor-count"),
  };
  new VisitorListView({ ...visitors, template: find("share-visitor-template") }, bus);
}

function buildLinks(bus) {
  new LinkListView(
    {
      list: find("share-links"),
      none: find("share-links-none"),
      ended: find("share-ended"),
      endedTitle: find("share-ended-title"),
      endedList: find("share-ended-links"),
      template: find("share-link-template"),
    },
    bus,
  );
  buildShownLink(bus);
  new LinkFormView(
    {
      details: find("share-new"),
      form: find("share-form"),
      kinds: [...find("share-form").querySelectorAll('[name="share-kind"]')],
      name: find("share-name"),
      hours: find("share-hours"),
      video: find("share-video"),
      videoOption: find("share-video-option"),
      create: find("share-create"),
    },
    bus,
  );
}

function buildShownLink(bus) {
  new ShownLinkView(
    {
      section: find("share-shown"),
      qr: find("shown-qr"),
      qrNote: find("shown-qr-note"),
      kind: find("shown-kind"),
      name: find("shown-name"),
      how: find("shown-how"),
      choice: find("shown-choice"),
      addresses: find("shown-addresses"),
      address: find("shown-address"),
      copy: find("shown-copy"),
      copyLabel: find("shown-copy-label"),
      send: find("shown-send"),
      end: find("shown-end"),
    },
    bus,
    { canSend: typeof navigator.share === "function", qrPath },
  );
}

function wireLook(bus, sharing) {
  bus.on("share-opened", () => sharing.open());
  bus.on("share-closed", () => sharing.close());
  bus.signal.addEventListener("abort", () => sharing.close(), { once: true });
  bus.on("copy-requested", ({ url }) => copy(bus, url));
  // Rejected when the person closes the system's sheet.
  bus.on("send-requested", ({ url, title }) => navigator.share({ url, title }).catch(() => {}));
}

function wireLinks(bus, sharing, session) {
  const show = (link) => link && bus.emit("link-show-requested", { id: link.id });
  const create = async (values) => {
    bus.emit("link-creating", { isCreating: true });
    const link = await sharing.create(values.kind === "session" ? { ...values, session } : values);
    bus.emit("link-creating", { isCreating: false });
    if (link) bus.emit("link-created", { link });
    show(link);
  };
  bus.on("link-create-requested", (values) => create(values));
  bus.on("link-video-requested", ({ id, video }) => sharing.setVideo(id, video));
  const shareSession = async ({ session: id, name }) => {
    bus.emit("share-requested");
    show(await sharing.linkFor(id, name));
  };
  bus.on("session-share-requested", (wanted) => shareSession(wanted));
}

function wireEnds(bus, sharing) {
  const confirm = new ConfirmView(
    {
      dialog: find("share-confirm"),
      title: find("share-confirm-title"),
      text: find("share-confirm-text"),
      yes: find("share-confirm-yes"),
      no: find("share-confirm-no"),
    },
    bus.signal,
  );
  const after = async (question, act) => (await confirm.ask(question)) && act();
  bus.on("link-revoke-requested", ({ link }) =>
    after(revokeLinkQuestion(link), () => sharing.revoke(link.id)),
  );
  const remove = ({ visitor, linkName }) =>
    after(removeVisitorQuestion(visitor, linkName), () => sharing.removeVisitor(visitor.id));
  bus.on("visitor-remove-requested", remove);
  bus.on("share-stop-requested", () =>
    after(stopSharingQuestion(sharing.share), () => sharing.stop()),
  );
}

async function copy(bus, url) {
  try {
    await navigator.clipboard.writeText(url);
    bus.emit("link-copied", { url });
    bus.emit("share-said", { text: t("The link is copied.") });
  } catch {
    const text = t("The browser does not allow it. Select the address and copy it by hand.");
    bus.emit("share-trouble", { title: t("The link was not copied"), text });
  }
}

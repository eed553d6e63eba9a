/** Shows the invitation: one link's QR code and address, to be scanned, copied or sent. */
import { capitalise } from "../../shared/format.js";
import { t } from "../../shared/words.js";
import { KINDS, addressLabels, formatEnd, linkToShow } from "../links.js";

const COPIED_MS = 2500;

const HOW = {
  join: t(
    "Scan the code with a phone's camera, or open the address on any device in this network.",
  ),
  watch: t("Who opens it sees what this browser's camera finds, while it runs."),
  session: t("Who opens it can read the session and export it, and change nothing."),
};

export class ShownLinkView {
  #elements;
  #bus;
  #qrPath;
  #wantedId = null;
  #share = null;
  #link = null;
  #url = "";
  #timer = 0;

  /**
   * @param {{section: HTMLElement, qr: HTMLImageElement, qrNote: HTMLElement, kind: HTMLElement,
   *   name: HTMLElement, how: HTMLElement, choice: HTMLElement, addresses: HTMLSelectElement,
   *   address: HTMLElement, copy: HTMLButtonElement, copyLabel: HTMLElement, send:
   *   HTMLButtonElement, end: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits copy-requested {url},
   *   send-requested {url, title}, shown-changed {id}
   * @param {object} outside
   * @param {boolean} outside.canSend whether the system has a sheet for sending
   * @param {typeof import("../share_api.js").qrPath} outside.qrPath
   */
  constructor(elements, bus, { canSend, qrPath }) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#qrPath = qrPath;
    const { qr, addresses, copy, send } = elements;
    send.hidden = !canSend;
    copy.addEventListener("click", () => bus.emit("copy-requested", { url: this.#url }), {
      signal,
    });
    send.addEventListener(
      "click",
      () => bus.emit("send-requested", { url: this.#url, title: this.#link.name }),
      { signal },
    );
    addresses.addEventListener("change", () => this.#showAddress(addresses.selectedIndex), {
      signal,
    });
    qr.addEventListener("error", () => this.#tellQr(false), { signal });
    qr.addEventListener("load", () => this.#tellQr(true), { signal });
    bus.on("share-changed", ({ share }) => this.#take(share));
    bus.on("link-show-requested", ({ id }) => this.#want(id));
    bus.on("link-copied", ({ url }) => url === this.#url && this.#tellCopied());
  }

  #take(share) {
    this.#share = share;
    this.#show();
  }

  #want(id) {
    const { section } = this.#elements;
    this.#wantedId = id;
    this.#show();
    section.scrollIntoView({ block: "nearest" });
    section.focus({ preventScroll: true });
  }

  #show() {
    const { section, kind, name, how, end } = this.#elements;
    const link = linkToShow(this.#share?.links ?? [], this.#wantedId);
    const hasFocus = section.contains(document.activeElement);
    this.#link = link;
    section.hidden = !link || link.urls.length === 0;
    this.#bus.emit("shown-changed", { id: section.hidden ? null : link.id });
    // What had the focus is gone: the keyboard goes on where the panel begins.
    if (section.hidden && hasFocus) section.closest("dialog").querySelector("h2").focus();
    if (section.hidden) return void (this.#url = "");
    kind.textContent = KINDS[link.kind].label;
    name.textContent = link.name;
    how.textContent = HOW[link.kind];
    const ends = capitalise(formatEnd(link.expires_ms, new Date()));
    end.textContent = t("{end}, or when you revoke it.", { end: ends });
    return this.#showChoices(link);
  }

  #showChoices({ urls }) {
    const { choice, addresses } = this.#elements;
    const labels = addressLabels(urls, this.#share.addresses);
    const kept = Math.max(0, labels.indexOf(addresses.selectedOptions[0]?.text));
    // Options that are replaced would close the list under the host's finger.
    if (labels.join("\n") !== [...addresses.options].map(({ text }) => text).join("\n")) {
      addresses.replaceChildren(...labels.map((label) => new Option(label)));
      addresses.selectedIndex = kept;
    }
    choice.hidden = urls.length < 2;
    this.#showAddress(addresses.selectedIndex);
  }

  #showAddress(index) {
    const { qr, address } = this.#elements;
    const url = this.#link.urls[index];
    if (url === this.#url) return;
    this.#url = url;
    address.textContent = url;
    qr.alt = t("QR code of {url}", { url });
    qr.src = this.#qrPath(this.#link, index);
    this.#tellCopied(false);
  }

  #tellQr(isLoaded) {
    const { qr, qrNote } = this.#elements;
    qr.hidden = !isLoaded;
    qrNote.hidden = isLoaded;
  }

  #tellCopied(isCopied = true) {
    const { copyLabel } = this.#elements;
    copyLabel.textContent = isCopied ? t("Copied") : t("Copy link");
    clearTimeout(this.#timer);
    if (isCopied) this.#timer = setTimeout(() => this.#tellCopied(false), COPIED_MS);
  }
}

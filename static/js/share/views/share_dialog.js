/** Shows the panel itself: open or closed, what it can show at all, and what went wrong in it. */
import { serverText } from "../../shared/server_errors.js";
import { t } from "../../shared/words.js";
import { describeOff, isOpen } from "../links.js";

export class ShareDialogView {
  #elements;
  #hasShown = false;

  /**
   * @param {{dialog: HTMLDialogElement, title: HTMLElement, opener: HTMLElement, close:
   *   HTMLButtonElement, said: HTMLElement, trouble: HTMLElement, troubleTitle: HTMLElement,
   *   troubleText: HTMLElement, dismiss: HTMLButtonElement, offTitle: HTMLElement, reason:
   *   HTMLElement, command: HTMLElement, failedText: HTMLElement, nowhere: HTMLElement, trust:
   *   HTMLElement, fingerprint: HTMLElement, stop: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits share-opened, share-closed,
   *   share-stop-requested
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    const { dialog, opener, close, dismiss, stop } = elements;
    opener.addEventListener("click", () => bus.emit("share-requested"), { signal });
    close.addEventListener("click", () => dialog.close(), { signal });
    dismiss.addEventListener("click", () => this.#dismiss(), { signal });
    stop.addEventListener("click", () => bus.emit("share-stop-requested"), { signal });
    dialog.addEventListener("close", () => bus.emit("share-closed"), { signal });
    bus.on("share-requested", () => this.#open(bus));
    bus.on("share-changed", ({ share, said }) => this.#show(share, said));
    bus.on("share-failed", ({ problem }) => this.#fail(problem));
    bus.on("share-trouble", (trouble) => this.#tell(trouble));
    bus.on("link-creating", ({ isCreating }) => isCreating && this.#dismiss());
    bus.on("share-said", ({ text }) => (elements.said.textContent = text));
  }

  #open(bus) {
    const { dialog, title } = this.#elements;
    if (dialog.open) return;
    this.#dismiss();
    dialog.showModal();
    // The browser would focus the button that closes.
    title.focus({ preventScroll: true });
    dialog.scrollTop = 0;
    bus.emit("share-opened");
  }

  #show(share, said) {
    const { dialog, nowhere, trust, fingerprint, stop, trouble } = this.#elements;
    this.#hasShown = true;
    if (trouble.dataset.kind === "stale") this.#dismiss();
    // Links that are there can be ended, even while the network is away.
    const isOn = share.can_share || share.links.length > 0;
    dialog.dataset.state = isOn ? "on" : "off";
    if (!isOn) this.#explainOff(describeOff(share.reason));
    nowhere.hidden = share.addresses.length > 0;
    // A certificate of the host's own is trusted already.
    trust.hidden = !share.fingerprint;
    fingerprint.textContent = share.fingerprint ?? "";
    stop.disabled = !share.links.some(isOpen);
    if (said) this.#elements.said.textContent = said;
  }

  #explainOff({ title, text, needsStart }) {
    const { offTitle, reason, command } = this.#elements;
    offTitle.textContent = title;
    reason.textContent = text;
    command.hidden = !needsStart;
  }

  #fail(problem) {
    const { dialog, failedText } = this.#elements;
    if (problem.code === "forbidden") return void (dialog.dataset.state = "denied");
    if (this.#hasShown)
      return this.#tell({
        kind: "stale",
        title: t("What you see may be old."),
        text: serverText(problem),
      });
    failedText.textContent = serverText(problem);
    return void (dialog.dataset.state = "failed");
  }

  #tell({ kind = "refused", title, text }) {
    const { trouble, troubleTitle, troubleText } = this.#elements;
    // Told once: a screen reader would read the alert again at each look.
    if (!trouble.hidden && troubleText.textContent === text) return;
    trouble.dataset.kind = kind;
    troubleTitle.textContent = title.endsWith(".") ? title : `${title}.`;
    troubleText.textContent = text;
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "nearest" });
  }

  #dismiss() {
    this.#elements.trouble.hidden = true;
  }
}

/**
 * Says what a person must know before the camera starts; asked once in each browser, and to be read
 * again.
 */
const VERSION = "2";

export class NoticeView {
  #elements;
  #bus;
  #preferences;

  /**
   * @param {{dialog: HTMLDialogElement, accept: HTMLButtonElement, decline: HTMLButtonElement,
   *   close: HTMLButtonElement, recording: HTMLElement, record: HTMLElement, details:
   *     HTMLDetailsElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {import("../../shared/preferences.js").Preferences} preferences
   */
  constructor(elements, bus, preferences) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#preferences = preferences;
    elements.accept.addEventListener("click", () => this.#accept(), { signal });
    elements.decline.addEventListener("click", () => elements.dialog.close(), { signal });
    elements.close.addEventListener("click", () => elements.dialog.close(), { signal });
    bus.on("notice-requested", () => this.open({ isQuestion: false }));
    bus.on("recording-changed", ({ isWanted }) =>
      elements.record.setAttribute("aria-checked", String(isWanted)),
    );
    // Who may not come back cannot record either.
    bus.on(
      "session-changed",
      ({ problem }) => (elements.recording.hidden = problem?.isFinal === true),
    );
  }

  get isAccepted() {
    return this.#preferences.get("notice") === VERSION;
  }

  /**
   * @param {{isQuestion: boolean}} options a question waits for consent; otherwise it is only to be
   *   read
   */
  open({ isQuestion }) {
    const { dialog, accept, decline, close, details } = this.#elements;
    accept.hidden = !isQuestion;
    decline.hidden = !isQuestion;
    close.hidden = isQuestion;
    // Before the first start three lines do; who asks for the notice wants to read it.
    details.open = !isQuestion;
    dialog.showModal();
    // The browser would focus the first link and scroll to it.
    (isQuestion ? accept : close).focus({ preventScroll: true });
    dialog.scrollTop = 0;
  }

  #accept() {
    this.#preferences.set("notice", VERSION);
    this.#elements.dialog.close();
    this.#bus.emit("notice-accepted");
  }
}

/**
 * Asks before a page is left that records a session or a clip, opens other pages beside a stream, and says in the tab's
 * title how the recording stands.
 */
const MARKS = { recording: "●", hindered: "❚❚" };

export class LeaveGuardView {
  #page;
  #title;
  #isLive = false;
  #isRecording = false;
  #hasClip = false;

  /**
   * @param {Window} tab
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(tab, bus) {
    this.#page = tab.document;
    this.#title = this.#page.title;
    bus.on("recording-changed", (recording) => this.#follow(recording));
    bus.on("clip-changed", ({ state }) => (this.#hasClip = state !== "off"));
    const options = { signal: bus.signal };
    tab.addEventListener("beforeunload", (event) => this.#ask(event), options);
    this.#page.addEventListener("click", (event) => this.#openBeside(event), options);
  }

  #follow({ state, hindrance, isLive, session }) {
    this.#isLive = isLive;
    this.#isRecording = isLive && session !== null && state !== "paused";
    const mark = hindrance === null && state === "recording" ? MARKS.recording : MARKS.hindered;
    this.#page.title = this.#isRecording ? `${mark} ${this.#title}` : this.#title;
  }

  #ask(event) {
    if (this.#isRecording || this.#hasClip) event.preventDefault();
  }

  /** A link that leaves the page would end the stream. */
  #openBeside(event) {
    const link = event.target.closest?.("a[href]");
    if (!this.#isLive || !link || !leavesPage(link, event)) return;
    event.preventDefault();
    this.#page.defaultView.open(link.href, "_blank", "noopener");
  }
}

function leavesPage(link, event) {
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented);
  const stays = link.target || link.hasAttribute("download") || link.hash;
  return isPlain && !stays;
}

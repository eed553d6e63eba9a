/** Shows whether this session is recorded, until when it is stored, and a marker with a name. */
import { formatDuration } from "../../shared/format.js";
import { sitePath } from "../../shared/site_path.js";
import { t } from "../../shared/words.js";

const TEXTS = {
  starting: t("Recording starts"),
  recording: t("Recording"),
  paused: t("Paused"),
  problem: t("Not recording"),
};
const HINDRANCES = {
  connection: t("Connection lost: recording waits"),
  pause: t("Paused with the picture"),
  tab: t("Paused while this tab is hidden"),
  face: t("Recording waits: nobody in the picture"),
  results: t("Recording waits for results"),
};
/** A marker that nobody names keeps no room for long. */
const NAME_WITHIN_MS = 12_000;

export class RecordingBarView {
  #elements;
  #bus;
  #marker = null;
  #timer = 0;

  /**
   * @param {{bar: HTMLElement, toggle: HTMLElement, state: HTMLElement, time: HTMLElement, marker:
   *   HTMLButtonElement, link: HTMLAnchorElement, form: HTMLFormElement, formTime: HTMLElement,
   *   text: HTMLInputElement, cancel: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("recording-changed", (recording) => this.#show(recording));
    // Who may not come back can neither record nor open what was recorded.
    bus.on("session-changed", ({ problem }) => (elements.bar.hidden = problem?.isFinal === true));
    bus.on("marker-added", ({ marker }) => this.#askName(marker));
    this.#listenToForm();
  }

  #listenToForm() {
    const { form, text, cancel } = this.#elements;
    const options = { signal: this.#bus.signal };
    form.addEventListener("submit", (event) => this.#name(event), options);
    cancel.addEventListener("click", () => this.#closeForm(), options);
    text.addEventListener("input", () => clearTimeout(this.#timer), options);
    text.addEventListener(
      "keydown",
      (event) => event.key === "Escape" && this.#closeForm(),
      options,
    );
  }

  #show(recording) {
    const { bar, toggle, state, marker } = this.#elements;
    bar.dataset.state = recording.hindrance ? "waiting" : recording.state;
    toggle.setAttribute("aria-checked", String(recording.isWanted));
    marker.disabled = recording.session === null || !recording.isWanted;
    marker.hidden = !recording.isLive;
    state.textContent = describe(recording);
    this.#showLink(recording);
    this.#showTime(recording);
    if (!recording.isLive) this.#closeForm();
  }

  #showLink({ finished, isLive, isWanted }) {
    const { link } = this.#elements;
    if (finished) link.href = sitePath(`/history/${encodeURIComponent(finished)}`);
    if (finished) link.hidden = false;
    else if (isLive && isWanted) link.hidden = true;
  }

  #showTime({ session, keptS }) {
    const text = session === null ? "" : formatDuration(keptS);
    if (this.#elements.time.textContent !== text) this.#elements.time.textContent = text;
  }

  #askName(marker) {
    const { form, formTime, text } = this.#elements;
    this.#marker = marker;
    formTime.textContent = t("Marker at {time}", { time: formatDuration(marker.atS) });
    text.value = "";
    form.hidden = false;
    text.focus({ preventScroll: true });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#closeForm(), NAME_WITHIN_MS);
  }

  #name(event) {
    event.preventDefault();
    const text = this.#elements.text.value.trim();
    if (text && this.#marker) this.#bus.emit("marker-named", { marker: this.#marker, text });
    this.#closeForm();
  }

  #closeForm() {
    const { form, marker } = this.#elements;
    clearTimeout(this.#timer);
    if (form.hidden) return;
    const hadFocus = form.contains(document.activeElement);
    form.hidden = true;
    this.#marker = null;
    if (hadFocus && !marker.disabled) marker.focus({ preventScroll: true });
  }
}

/**
 * @param {{state: string, hindrance: string | null, isWanted: boolean, isLive: boolean, finished:
 *   string | null}} recording
 */
export function describe({ state, hindrance, isWanted, isLive, finished }) {
  if (hindrance) return HINDRANCES[hindrance];
  if (state !== "off") return TEXTS[state];
  if (finished) return t("The session is saved");
  if (isLive) return t("This session is not recorded");
  return isWanted
    ? t("The next session is recorded: numbers, no pictures")
    : t("The next session is not recorded");
}

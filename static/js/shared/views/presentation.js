/**
 * Shows picture, labels and large bars alone: in full screen, or over the whole window where a
 * browser gives only videos the screen, as iPhones do. The controls come with a movement, a key or
 * a touch, and go after a few seconds.
 */

/** Long enough to reach a button, short enough not to stay in the picture. */
export const QUIET_AFTER_MS = 3000;
const LISTENS_TO = ["pointermove", "pointerdown", "keydown", "focusin"];
const USES_ESCAPE = "input, select, textarea, details[open]";

export class PresentationView {
  #elements;
  #bus;
  #page;
  #isOn = false;
  #timer = 0;
  #pointer = "";
  #inert = [];

  /**
   * @param {{shell: HTMLElement, bars: HTMLElement[], fullscreen: HTMLButtonElement}} elements
   *   shell: all that is shown; bars: of it the controls, which go away; fullscreen: the button
   * @param {import("../event_bus.js").EventBus} bus
   * @param {Document} page
   */
  constructor(elements, bus, page) {
    const options = { signal: bus.signal };
    this.#elements = elements;
    this.#bus = bus;
    this.#page = page;
    bus.on("fullscreen-requested", () => (this.#isOnByNow() ? this.#leave() : this.#enter()));
    page.addEventListener("fullscreenchange", () => this.#follow(), options);
    page.addEventListener("keydown", (event) => this.#leaveByEscape(event), options);
    for (const type of LISTENS_TO)
      page.addEventListener(type, (event) => this.#stir(event), options);
  }

  /** A browser is in full screen a moment before it tells. */
  #isOnByNow() {
    return this.#isOn || this.#page.fullscreenElement === this.#elements.shell;
  }

  async #enter() {
    const { shell } = this.#elements;
    try {
      if (shell.requestFullscreen) return await shell.requestFullscreen();
    } catch {
      // Forbidden in a frame or by a policy: the window is left.
    }
    this.#become(true);
  }

  #leave() {
    if (this.#page.fullscreenElement) return this.#page.exitFullscreen();
    return this.#become(false);
  }

  /** Browsers leave full screen by Escape themselves, mostly without telling the page of the key. */
  #follow() {
    this.#become(this.#page.fullscreenElement === this.#elements.shell);
  }

  #leaveByEscape({ key, target, defaultPrevented }) {
    if (key !== "Escape" || defaultPrevented || !this.#isOn) return;
    if (target?.closest?.(USES_ESCAPE) || this.#page.querySelector("dialog[open]")) return;
    this.#leave();
  }

  #become(isOn) {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#elements.shell.classList.toggle("is-presenting", isOn);
    if (isOn) this.#inert = besides(this.#elements.shell, this.#page.body);
    if (isOn) this.#freeControls();
    for (const element of this.#inert) element.inert = isOn;
    this.#bus.emit("fullscreen-changed", { isFullscreen: isOn });
    this.#showControls();
  }

  /** A button that was pressed before keeps the focus, and would keep the controls with it. */
  #freeControls() {
    const { shell, fullscreen } = this.#elements;
    if (!fullscreen.matches(":focus-visible")) shell.focus({ preventScroll: true });
  }

  /** @param {any} event */
  #stir({ type, screenX, screenY }) {
    if (!this.#isOn) return;
    const pointer = `${screenX} ${screenY}`;
    // Browsers tell of a move too when something else moved under a pointer that rests.
    if (type === "pointermove" && pointer === this.#pointer) return;
    if (type === "pointermove") this.#pointer = pointer;
    this.#showControls();
  }

  #showControls() {
    clearTimeout(this.#timer);
    this.#elements.shell.classList.remove("is-quiet");
    if (this.#isOn) this.#timer = setTimeout(() => this.#hideControls(), QUIET_AFTER_MS);
  }

  /** What the keyboard is at stays in sight, and so does a menu or a dialog. */
  #hideControls() {
    const isUsed =
      this.#elements.bars.some((bar) => bar.querySelector(":focus-visible, details[open]")) ||
      this.#page.querySelector("dialog[open]");
    if (isUsed) this.#showControls();
    else this.#elements.shell.classList.add("is-quiet");
  }
}

/** All that stands beside an element on the page: the keyboard must not get lost behind it. */
function besides(element, body) {
  const found = [];
  for (let at = element; at && at !== body; at = at.parentElement)
    for (const other of at.parentElement?.children ?? [])
      if (other !== at && !other.matches("dialog, [aria-live], [inert], script, template"))
        found.push(other);
  return found;
}

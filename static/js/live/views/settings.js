/** Shows the drawer of settings beside the picture; what is chosen there counts at once. */
import { formatPercent } from "../../shared/format.js";
import { formatNumber, t } from "../../shared/words.js";

const READ = {
  mirror: (input) => ({ on: true, off: false })[input.value] ?? null,
  sound: (input) => input.checked,
};
const seconds = (value) =>
  value === 0 ? t("off") : t("{seconds} s", { seconds: formatNumber(value) });
const TEXT = { smoothing: seconds, unsure: formatPercent, faces: String };

export class SettingsView {
  #elements;
  #settings;
  #bus;
  #opener = null;

  /**
   * @param {{drawer: HTMLDialogElement, form: HTMLFormElement, close: HTMLElement, copy: HTMLElement,
   *   reset: HTMLElement, button: HTMLElement, link: HTMLInputElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {import("../page_settings.js").PageSettings} settings
   */
  constructor(elements, bus, settings) {
    const options = { signal: bus.signal };
    this.#elements = elements;
    this.#settings = settings;
    this.#bus = bus;
    const { drawer, form, close, copy, reset } = elements;
    bus.on("settings-requested", () => (drawer.open ? this.#close() : this.#open()));
    bus.on("settings-changed", (change) => this.#show(change));
    form.addEventListener("input", ({ target }) => this.#choose(target), options);
    form.addEventListener("submit", (event) => event.preventDefault(), options);
    close.addEventListener("click", () => this.#close(), options);
    reset.addEventListener("click", () => settings.reset(), options);
    copy.addEventListener("click", () => this.#copy(bus), options);
    drawer.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        this.#close();
      },
      options,
    );
  }

  /** Not modal: the picture beside it shows what a choice does. */
  #open() {
    this.#opener = document.activeElement;
    this.#elements.drawer.show();
    this.#elements.button.setAttribute("aria-expanded", "true");
    this.#elements.close.focus({ preventScroll: true });
    this.#bus.emit("drawer-changed", { isOpen: true });
  }

  #close() {
    this.#elements.drawer.close();
    this.#elements.button.setAttribute("aria-expanded", "false");
    const opener = /** @type {HTMLElement | null} */ (this.#opener);
    (opener?.isConnected ? opener : this.#elements.button).focus({ preventScroll: true });
    this.#bus.emit("drawer-changed", { isOpen: false });
  }

  #choose(input) {
    const { name } = input;
    if (name === "show") this.#settings.toggleShown(input.value);
    else if (name) this.#settings.choose(name, (READ[name] ?? (() => Number(input.value)))(input));
  }

  #show({ values }) {
    const { form } = this.#elements;
    const field = (name) => /** @type {any} */ (form.elements.namedItem(name));
    field("mirror").value = { true: "on", false: "off" }[String(values.mirror)] ?? "";
    field("sound").checked = values.sound;
    for (const box of field("show")) box.checked = values.show.includes(box.value);
    for (const [name, describe] of Object.entries(TEXT)) {
      const text = describe(values[name]);
      field(name).value = String(values[name]);
      field(name).setAttribute("aria-valuetext", text);
      form.querySelector(`output[for="setting-${name}"]`).textContent = text;
    }
  }

  async #copy(bus) {
    const { link } = this.#elements;
    link.value = this.#settings.link(location.href);
    link.hidden = false;
    link.select();
    const isCopied = await navigator.clipboard?.writeText(link.value).then(
      () => true,
      () => false,
    );
    bus.emit("message", {
      id: "settings-link",
      tone: "info",
      title: isCopied ? t("Link copied") : t("Copy the link from the drawer"),
      lastsMs: 4000,
    });
  }
}

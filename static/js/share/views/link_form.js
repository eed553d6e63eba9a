/** Shows the form for a new link. What is in it stays until the link is made. */
import { KINDS } from "../links.js";

export class LinkFormView {
  #elements;
  #bus;

  /**
   * @param {{details: HTMLDetailsElement, form: HTMLFormElement, kinds: HTMLInputElement[], name:
   *   HTMLInputElement, hours: HTMLSelectElement, video: HTMLInputElement, videoOption:
   *   HTMLElement, create: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits link-create-requested {kind,
   *   name, hours, video}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    for (const kind of elements.kinds)
      kind.addEventListener("change", () => this.#showKind(), { signal });
    elements.form.addEventListener("submit", (event) => this.#submit(event), { signal });
    bus.on("link-creating", ({ isCreating }) => (elements.create.disabled = isCreating));
    bus.on("link-created", () => this.#reset());
    bus.on("share-changed", ({ share }) => this.#offer(share));
    this.#showKind();
  }

  get #kind() {
    return this.#elements.kinds.find(({ checked }) => checked).value;
  }

  #showKind() {
    const { name, videoOption } = this.#elements;
    name.placeholder = KINDS[this.#kind].name;
    videoOption.hidden = this.#kind !== "watch";
  }

  #submit(event) {
    event.preventDefault();
    const { name, hours, video } = this.#elements;
    const [kind, isWatch] = [this.#kind, this.#kind === "watch"];
    const values = {
      kind,
      name: name.value.trim() || name.placeholder,
      hours: Number(hours.value),
    };
    this.#bus.emit("link-create-requested", isWatch ? { ...values, video: video.checked } : values);
  }

  #reset() {
    const { details, form } = this.#elements;
    form.reset();
    details.open = false;
    this.#showKind();
  }

  /** The first look of a server without links: making one is all there is to do. */
  #offer({ links }) {
    const { details } = this.#elements;
    if (details.dataset.isOffered) return;
    details.dataset.isOffered = "true";
    details.open = !links.some(({ state }) => state === "open");
  }
}

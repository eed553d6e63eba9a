import { sessionName } from "../../shared/format.js";

/** Shows the session's name, and lets it be edited on the spot. */
export class SessionNameView {
  #elements;
  #bus;
  #session = null;

  /**
   * @param {{name: HTMLInputElement, form: HTMLFormElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits update-requested {name}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    const { name, form } = elements;
    form.addEventListener("submit", (event) => (event.preventDefault(), name.blur()), { signal });
    name.addEventListener("change", () => this.#rename(), { signal });
    name.addEventListener("keydown", (event) => event.key === "Escape" && this.#restore(), {
      signal,
    });
    bus.on("session-changed", ({ session }) => this.#show(session));
  }

  #show(session) {
    const { name } = this.#elements;
    this.#session = session;
    name.value = session.name;
    name.title = name.placeholder = sessionName(session);
  }

  #rename() {
    const name = this.#elements.name.value.trim();
    if (name && name !== this.#session?.name) this.#bus.emit("update-requested", { name });
    else this.#restore();
  }

  #restore() {
    this.#elements.name.value = this.#session?.name ?? "";
  }
}

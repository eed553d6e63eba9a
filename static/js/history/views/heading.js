/** Name, facts and state of the session at the top of its page. */
import { formatCount, formatDuration, sessionName } from "../../format.js";
import { formatStart } from "../dates.js";

const STATES = {
  running: "Still recording",
  interrupted: "Interrupted: the server stopped before the session did",
};

export class HeadingView {
  #elements;
  #bus;
  #session = null;

  /**
   * @param {{name: HTMLInputElement, form: HTMLFormElement, facts: HTMLElement, model: HTMLElement,
   *   state: HTMLElement, reload: HTMLElement}} elements
   * @param {import("../../event_bus.js").EventBus} bus emits update-requested {name}
   * @param {AbortSignal} signal
   */
  constructor(elements, bus, signal) {
    this.#elements = elements;
    this.#bus = bus;
    const { name, form } = elements;
    form.addEventListener("submit", (event) => (event.preventDefault(), name.blur()), { signal });
    name.addEventListener("change", () => this.#rename(), { signal });
    name.addEventListener("keydown", (event) => event.key === "Escape" && this.#restore(), { signal });
    bus.on("session-changed", ({ session }) => this.#show(session), { signal });
  }

  #show(session) {
    const { name, facts, model, state, reload } = this.#elements;
    this.#session = session;
    name.value = name.title = session.name;
    document.title = `${sessionName(session)} – fer-web`;
    const parts = [formatStart(session.started_at, new Date()), formatDuration(session.length_s)];
    facts.textContent = [...parts, formatCount(session.faces, "face"), formatCount(session.samples, "sample")].join(" · ");
    model.textContent = describeModel(session);
    state.textContent = STATES[session.state] ?? "";
    state.hidden = state.textContent === "";
    state.dataset.state = session.state;
    reload.hidden = session.state !== "running";
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

function describeModel({ model, sample_hz, source }) {
  const kind = source && source !== "camera" ? `, ${source}` : "";
  return `Model ${model?.name ?? "unknown"} ${(model?.hash ?? "").slice(0, 12)}, up to ${sample_hz} samples a second${kind}`;
}

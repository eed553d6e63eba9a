/** Shows facts and state of the session at the top of its page. */
import { formatCount, formatDuration, sessionName } from "../../shared/format.js";
import { formatStart } from "../dates.js";

const STATES = {
  running: "Still recording",
  interrupted: "Interrupted: the server stopped before the session did",
};

export class HeadingView {
  #elements;

  /**
   * @param {{facts: HTMLElement, model: HTMLElement, state: HTMLElement, reload: HTMLElement}}
   *   elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("session-changed", ({ session }) => this.#show(session));
  }

  #show(session) {
    const { facts, model, state, reload } = this.#elements;
    document.title = `${sessionName(session)} – fer-web`;
    const parts = [formatStart(session.started_at, new Date()), formatDuration(session.length_s)];
    facts.textContent = [
      ...parts,
      formatCount(session.faces, "face"),
      formatCount(session.samples, "sample"),
    ].join(" · ");
    model.textContent = describeModel(session);
    state.textContent = STATES[session.state] ?? "";
    state.hidden = state.textContent === "";
    state.dataset.state = session.state;
    reload.hidden = session.state !== "running";
  }
}

function describeModel({ model, sample_hz, source }) {
  const kind = source && source !== "camera" ? `, ${source}` : "";
  return `Model ${model?.name ?? "unknown"} ${(model?.hash ?? "").slice(0, 12)}, up to ${sample_hz} samples a second${kind}`;
}

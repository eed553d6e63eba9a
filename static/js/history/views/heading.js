/** Shows facts and state of the session at the top of its page. */
import { countFaces, emotionName, formatDuration, sessionName } from "../../shared/format.js";
import { formatNumber, plural, t } from "../../shared/words.js";
import { formatStart } from "../dates.js";

const STATES = {
  running: t("Still recording"),
  interrupted: t("Interrupted: the server stopped before the session did"),
};

const SOURCES = { video: t("video") };

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
      countFaces(session.faces),
      plural(session.samples, "{count} sample", "{count} samples"),
    ].join(" · ");
    model.textContent = describeModel(session);
    state.textContent = STATES[session.state] ?? "";
    state.hidden = state.textContent === "";
    state.dataset.state = session.state;
    reload.hidden = session.state !== "running";
  }
}

/** What the network that recorded a session could not name, as an own sentence. */
function describeMissing(missing) {
  if (!Array.isArray(missing) || missing.length === 0) return "";
  const names = missing.map((name) => emotionName(String(name))).join(", ");
  return `. ${t("It has no output for these expressions, so that no face is called that:")} ${names}`;
}

function describeModel({ model, sample_hz, source, settings }) {
  const kind = source && source !== "camera" ? `, ${SOURCES[source] ?? source}` : "";
  const described = t("Model {name} {hash}, up to {rate} samples a second", {
    name: model?.name ?? t("unknown"),
    hash: (model?.hash ?? "").slice(0, 12),
    rate: formatNumber(sample_hz),
  });
  return described + kind + describeMissing(settings?.missing);
}

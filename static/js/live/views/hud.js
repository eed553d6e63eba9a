/** Shows rate and latency under the stage, and in its details how they come about. */
import { formatBytes, formatMs, formatRate } from "../../shared/format.js";
import { t } from "../../shared/words.js";

const DROP_TEXTS = {
  newer_frame: t("a newer one came"),
  overloaded: t("server busy"),
  too_many_in_flight: t("too many at once"),
  timeout: t("no answer in time"),
  too_large: t("too large"),
  disconnected: t("connection lost"),
  overtaken: t("answered too late"),
};

export class HudView {
  #hud;
  #fields = new Map();

  /**
   * @param {{hud: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor({ hud }, bus) {
    this.#hud = hud;
    for (const field of /** @type {NodeListOf<HTMLElement>} */ (
      hud.querySelectorAll("[data-field]")
    ))
      this.#fields.set(field.dataset.field, field);
    bus.on("statistics", (snapshot) => this.#show(snapshot));
    bus.on("hud-changed", ({ isOn }) => (hud.hidden = !isOn));
  }

  #show({
    resultsPerSecond,
    latencyP50Ms,
    latencyP95Ms,
    answered,
    dropped,
    droppedBy,
    faces,
    newest,
  }) {
    if (this.#hud.hidden) return;
    this.#set("rate", formatRate(newest ? resultsPerSecond : null));
    this.#set("p50", formatMs(latencyP50Ms));
    this.#set("p95", formatMs(latencyP95Ms));
    this.#set("dropped", String(dropped));
    this.#set("faces", newest ? String(faces) : "–");
    this.#set("answered", String(answered));
    this.#set("reasons", describeDrops(droppedBy));
    this.#showFrame(newest?.frame);
    this.#set("round-trip", formatMs(newest?.roundTripMs));
    for (const stage of ["wait", "decode", "detect", "classify", "total"]) {
      this.#set(stage, formatMs(newest?.timingsMs[stage]));
    }
  }

  #showFrame(frame) {
    this.#set("size", frame ? `${frame.width} × ${frame.height}` : "–");
    this.#set(
      "quality",
      frame ? `JPEG ${Math.round(frame.quality * 100)}, ${formatBytes(frame.bytes)}` : "–",
    );
    this.#set("in-flight", frame ? String(frame.inFlight) : "–");
    this.#set("encoding", formatMs(frame?.encodeMs));
    this.#set("limit", frame ? t("{count} per second", { count: Math.round(frame.fps) }) : "–");
  }

  #set(name, text) {
    const field = this.#fields.get(name);
    if (field && field.textContent !== text) field.textContent = text;
  }
}

function describeDrops(droppedBy) {
  const parts = Object.entries(droppedBy).map(
    ([reason, count]) => `${count} ${DROP_TEXTS[reason] ?? reason}`,
  );
  return parts.join(", ") || t("none");
}

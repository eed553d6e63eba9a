/**
 * Shows one session of the list: its facts, its strip, its name to edit. A part of SessionListView.
 */
import {
  capitalise,
  countFaces,
  emotionName,
  formatDuration,
  sessionName,
} from "../../shared/format.js";
import { sitePath } from "../../shared/site_path.js";
import { t } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";
import { formatStart } from "../dates.js";
import { UNSURE } from "../../shared/unsure.js";
import { bridge, describeStrip, drawStrip } from "../strip.js";
import { fromTemplate } from "../../shared/template_parts.js";

const STATES = { running: t("Recording"), interrupted: t("Interrupted") };

export class SessionRow {
  element;
  #part;
  #bus;
  #session = null;

  /**
   * @param {HTMLTemplateElement} template
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(template, bus) {
    const { element, part } = fromTemplate(template);
    this.element = element;
    this.#part = part;
    this.#bus = bus;
    part("pick").addEventListener("change", () =>
      this.#emit("pick-changed", { isPicked: part("pick").checked }),
    );
    part("delete").addEventListener("click", () => this.#emit("delete-requested"));
    part("rename").addEventListener("click", () => this.#openRename());
    part("cancel").addEventListener("click", () => this.#closeRename());
    part("form").addEventListener("submit", (event) => this.#submitName(event));
    part("input").addEventListener(
      "keydown",
      (event) => event.key === "Escape" && this.#closeRename(),
    );
  }

  /** @param {import("../sessions_api.js").Session} session @param {Date} now */
  show(session, now) {
    this.#session = session;
    this.element.dataset.session = session.id;
    const link = this.#part("name");
    const name = sessionName(session);
    link.textContent = name;
    link.href = sitePath(`/history/${encodeURIComponent(session.id)}`);
    this.#part("facts").textContent = facts(session, now);
    this.#showState(session);
    this.#showStrip(session);
    this.#part("tags").replaceChildren(...session.tags.map(tagItem));
    this.#part("pick").setAttribute("aria-label", t("Compare {name}", { name }));
    this.#part("rename").setAttribute("aria-label", t("Rename {name}", { name }));
    this.#part("delete").setAttribute("aria-label", t("Delete {name}", { name }));
  }

  showPick(isPicked, isFull) {
    const pick = this.#part("pick");
    pick.checked = isPicked;
    pick.disabled = isFull && !isPicked;
    this.element.classList.toggle("is-picked", isPicked);
  }

  #showState({ state, mine }) {
    const badge = this.#part("state");
    badge.textContent = STATES[state] ?? (mine === false ? t("Another browser") : "");
    badge.hidden = badge.textContent === "";
    badge.dataset.state = state;
  }

  #showStrip({ strip, dominant, length_s, state }) {
    const canvas = this.#part("strip");
    const cells = bridge(strip, length_s / strip.length);
    const nothing = state === "running" ? t("Not summed up yet") : t("No face");
    drawStrip(canvas, cells);
    canvas.setAttribute("aria-label", dominant ? describeStrip(cells) : nothing);
    this.#part("dominant").textContent = dominant ? capitalise(emotionName(dominant)) : nothing;
    this.#part("swatch").hidden = dominant === null || dominant === UNSURE;
    this.#part("swatch").style.setProperty("--emotion", emotionColour(dominant));
  }

  #openRename() {
    this.#part("form").hidden = false;
    this.#part("title").hidden = true;
    this.#part("input").value = this.#session.name;
    this.#part("input").select();
  }

  #closeRename() {
    this.#part("form").hidden = true;
    this.#part("title").hidden = false;
    this.#part("rename").focus({ preventScroll: true });
  }

  #submitName(event) {
    event.preventDefault();
    const name = this.#part("input").value.trim();
    if (name && name !== this.#session.name) this.#emit("rename-requested", { name });
    this.#closeRename();
  }

  #emit(type, detail = {}) {
    this.#bus.emit(type, { id: this.#session.id, ...detail });
  }
}

function facts({ started_at, length_s, faces }, now) {
  return [formatStart(started_at, now), formatDuration(length_s), countFaces(faces)].join(" · ");
}

function tagItem(name) {
  const item = document.createElement("li");
  item.className = "tag";
  item.textContent = name;
  return item;
}

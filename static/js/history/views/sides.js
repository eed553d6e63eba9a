/** Shows shares of time of the compared sessions, one column each. */
import {
  capitalise,
  countFaces,
  emotionName,
  formatDuration,
  formatPercentage,
  sessionName,
} from "../../shared/format.js";
import { t } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";
import { formatStart } from "../dates.js";

export class SidesView {
  #table;

  /**
   * @param {{table: HTMLTableElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor({ table }, bus) {
    this.#table = table;
    bus.on("comparison-changed", ({ compared }) => this.#show(compared));
  }

  #show(compared) {
    const { labels } = compared[0].session;
    const summaries = compared.map(({ summary }) => summary);
    this.#table.tHead.replaceChildren(
      row(
        "",
        compared.map(({ session }) => sessionName(session)),
        "col",
      ),
    );
    this.#table.tBodies[0].replaceChildren(
      row(
        t("Recorded"),
        compared.map(({ session }) => formatStart(session.started_at, new Date())),
      ),
      row(
        t("Length"),
        compared.map(({ session }) => formatDuration(session.length_s)),
      ),
      row(
        t("Faces"),
        compared.map(({ session }) => countFaces(session.faces)),
      ),
      ...labels.map((label) =>
        barRow(
          capitalise(emotionName(label)),
          emotionColour(label),
          summaries.map(({ shares }) => shares[label] ?? 0),
        ),
      ),
      barRow(
        t("Unsure"),
        "var(--text-soft)",
        summaries.map(({ unsure_share }) => unsure_share),
      ),
      barRow(
        t("Face in view"),
        "var(--accent)",
        summaries.map(({ face_present_share }) => face_present_share),
      ),
    );
  }
}

function row(name, texts, scope = null) {
  const cells = texts.map((text) => {
    const cell = document.createElement(scope ? "th" : "td");
    if (scope) cell.scope = scope;
    cell.textContent = text;
    cell.title = scope ? text : "";
    return cell;
  });
  return assemble(name, cells);
}

function barRow(name, colour, shares) {
  return assemble(
    name,
    shares.map((share) => barCell(share, colour)),
  );
}

function barCell(share, colour) {
  const cell = document.createElement("td");
  const [bar, track, fill, value] = ["bar", "bar-track", "bar-fill", "bar-value"].map(
    (className) => {
      const part = document.createElement("span");
      part.className = className;
      return part;
    },
  );
  fill.style.setProperty("--emotion", colour);
  fill.style.setProperty("transform", `scaleX(${share.toFixed(3)})`);
  value.textContent = formatPercentage(share);
  track.append(fill);
  bar.append(track, value);
  cell.append(bar);
  return cell;
}

function assemble(name, cells) {
  const element = document.createElement("tr");
  const head = document.createElement(name ? "th" : "td");
  if (name) head.scope = "row";
  head.textContent = name;
  element.append(head, ...cells);
  return element;
}

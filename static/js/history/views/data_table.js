/** Shows the chart as a table: for screen readers, and for all who like numbers. */
import { formatSigned } from "../../shared/affect.js";
import {
  capitalise,
  emotionName,
  formatDuration,
  formatPercent,
  oneDecimal,
} from "../../shared/format.js";
import { formatNumber, t } from "../../shared/words.js";
import { affectColumns, buildTimeline } from "../samples.js";
import { cellName } from "../strip.js";

const ROWS = 60;

export class DataTableView {
  #elements;
  #shown = null;
  #range = null;

  /**
   * @param {{table: HTMLTableElement, caption: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("view-changed", (shown) => this.#take(shown));
    bus.on("detail-changed", ({ samples }) => this.#take({ ...this.#shown, samples }));
    bus.on("range-changed", (range) => this.#show(range));
  }

  #take(shown) {
    this.#shown = shown;
    if (this.#range) this.#fill();
  }

  #show(range) {
    this.#range = range;
    if (this.#shown) this.#fill();
  }

  #fill() {
    const { table, caption } = this.#elements;
    const { samples, session } = this.#shown;
    const { fromS, toS } = this.#range;
    const view = { face: null, fromS, toS, points: ROWS, sampleHz: Math.min(1, session.sample_hz) };
    const timeline = buildTimeline(samples, view);
    caption.textContent = t("Mean scores in steps of {step}, from {from} to {to}", {
      step: formatStep(timeline.binS),
      from: formatDuration(fromS),
      to: formatDuration(toS),
    });
    table.tHead.replaceChildren(
      row("th", [
        ...[t("Time"), t("Expression"), ...session.labels.map(emotionName).map(capitalise)],
        ...[t("valence"), t("arousal")].map(capitalise),
      ]),
    );
    const affect = affectColumns(timeline, session.labels);
    table.tBodies[0].replaceChildren(
      ...timeline.atS.map((atS, i) => row("td", cells(timeline, affect, atS, i))),
    );
  }
}

const formatStep = (seconds) =>
  t("{seconds} s", {
    seconds: seconds < 10 ? oneDecimal(seconds) : formatNumber(Math.round(seconds)),
  });

function cells({ scores, dominant }, affect, atS, i) {
  return [
    formatDuration(atS),
    cellName(dominant[i]),
    ...scores.map((column) => formatPercent(column[i] ?? NaN)),
    ...affect.map((column) => (column[i] === null ? "–" : formatSigned(column[i]))),
  ];
}

function row(kind, texts) {
  const element = document.createElement("tr");
  const parts = texts.map((text, i) => {
    const part = document.createElement(i === 0 ? "th" : kind);
    if (part.tagName === "TH") part.scope = kind === "th" ? "col" : "row";
    part.textContent = text;
    return part;
  });
  element.append(...parts);
  return element;
}

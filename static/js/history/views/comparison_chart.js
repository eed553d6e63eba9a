/**
 * Shows one expression of every session as lines on a shared axis, or only what prevailed in each,
 * as strips.
 */
import { capitalise, emotionName, formatPercent, sessionName } from "../../shared/format.js";
import { sitePath } from "../../shared/site_path.js";
import { t } from "../../shared/words.js";
import { joinLines, sharedRange } from "../alignment.js";
import { Chart } from "../chart.js";
import { formatOffset } from "../chart_options.js";
import { buildTimeline, dominantParts, nearestRow } from "../samples.js";
import { cellName, describeStrip, drawStrip } from "../strip.js";
import { LINES, lineKey } from "./line_key.js";

const PARTS = 600;
const STRIPS = "";

export class ComparisonChartView {
  #elements;
  #bus;
  #chart;
  #compared = [];
  #timelines = [];
  #values = [];

  /**
   * @param {{plot: HTMLElement, shown: HTMLSelectElement, strips: HTMLElement, moment: HTMLElement,
   *   chart: HTMLElement, zoomIn: HTMLElement, zoomOut: HTMLElement, left: HTMLElement, right:
   *   HTMLElement, reset: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits align-requested {id, markerId}
   * @param {any} uPlot
   */
  constructor(elements, bus, uPlot) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    const onRange = () => this.#showRange();
    this.#chart = new Chart(
      { root: elements.plot, uPlot, onRange, onCursor: (atS) => this.#showCursor(atS) },
      signal,
    );
    bus.on("comparison-changed", ({ compared, isAligned }) => this.#show(compared, isAligned));
    bus.on("print-changed", ({ widthPx }) => this.#chart.setWidth(widthPx));
    const on = (element, type, act) => element.addEventListener(type, act, { signal });
    on(elements.shown, "change", () => this.#draw(true));
    on(elements.zoomIn, "click", () => this.#chart.zoomBy(0.5));
    on(elements.zoomOut, "click", () => this.#chart.zoomBy(2));
    on(elements.left, "click", () => this.#chart.pan(-0.5));
    on(elements.right, "click", () => this.#chart.pan(0.5));
    on(elements.reset, "click", () => this.#chart.reset());
  }

  #show(compared, isAligned) {
    const isFirst = this.#compared.length === 0;
    this.#compared = compared;
    if (isFirst) this.#build(compared[0].session.labels);
    this.#draw(!isFirst && !isAligned);
  }

  #build(labels) {
    const { shown, strips } = this.#elements;
    shown.replaceChildren(
      ...labels.map((label) => new Option(capitalise(emotionName(label)), label)),
      new Option(t("Strips only"), STRIPS),
    );
    shown.value = labels.includes("happy") ? "happy" : labels[0];
    strips.replaceChildren(...this.#compared.map((each, i) => this.#strip(each.session, i)));
    this.#values = [...strips.querySelectorAll(".compare-value")];
  }

  #draw(keepsRange) {
    const label = this.#elements.shown.value;
    this.#elements.chart.classList.toggle("is-bare", label === STRIPS);
    this.#chart.show(
      {
        domain: this.#domain(),
        lines: this.#compared.map(({ session }, i) => ({
          label: sessionName(session),
          ...LINES[i],
        })),
        isStacked: false,
        read: (fromS, toS, points) => this.#read(label, fromS, toS, points),
        markers: this.#compared.some(({ originS }) => originS > 0)
          ? [{ atS: 0, text: t("aligned") }]
          : [],
      },
      keepsRange,
    );
  }

  #domain() {
    return sharedRange(
      this.#compared.map(({ session, originS }) => ({ lengthS: session.length_s, originS })),
    );
  }

  #read(label, fromS, toS, points) {
    this.#timelines = this.#compared.map((each) => shifted(each, fromS, toS, points));
    const index = this.#compared[0].session.labels.indexOf(label);
    const values = (timeline) => timeline.scores[index] ?? timeline.atS.map(() => null);
    const { atS, columns } = joinLines(
      this.#timelines.map((timeline) => ({ atS: timeline.atS, values: values(timeline) })),
    );
    return { atS, columns, gaps: [] };
  }

  #strip(session, index) {
    const { id, markers } = session;
    const name = sessionName(session);
    const row = document.createElement("div");
    const title = document.createElement("p");
    const link = document.createElement("a");
    const value = document.createElement("span");
    const canvas = document.createElement("canvas");
    row.className = "compare-strip";
    row.dataset.session = id;
    title.className = "compare-name";
    value.className = "compare-value";
    link.href = sitePath(`/history/${encodeURIComponent(id)}`);
    link.textContent = name;
    canvas.className = "strip";
    canvas.setAttribute("role", "img");
    title.append(lineKey(index), link, value);
    row.append(title, ...(markers.length > 0 ? [this.#alignment(id, name, markers)] : []), canvas);
    return row;
  }

  #alignment(id, name, markers) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    label.className = "compare-align";
    select.className = "field";
    select.setAttribute("aria-label", t("Zero of the axis for {name}", { name }));
    const options = markers.map(
      ({ id: markerId, at_s, text }) => new Option(`${formatOffset(at_s)} ${text}`, markerId),
    );
    select.append(new Option(t("its start"), ""), ...options);
    select.addEventListener("change", () =>
      this.#bus.emit("align-requested", { id, markerId: select.value }),
    );
    label.append(t("Zero at"), " ", select);
    return label;
  }

  #showRange() {
    const [fromS, toS] = this.#chart.range;
    const [first, last] = this.#domain();
    const { left, right, reset, strips } = this.#elements;
    left.disabled = fromS <= first;
    right.disabled = toS >= last;
    reset.disabled = left.disabled && right.disabled;
    [...strips.children].forEach((row, i) => drawRow(row, this.#compared[i], fromS, toS));
    this.#showCursor(null);
  }

  #showCursor(atS) {
    const [fromS, toS] = this.#chart.range;
    const label = this.#elements.shown.value;
    this.#elements.moment.textContent =
      atS === null
        ? t("{from} to {to}", { from: formatOffset(fromS), to: formatOffset(toS) })
        : t("At {time}", { time: formatOffset(atS) });
    this.#timelines.forEach((timeline, i) => {
      const value = atS === null ? "" : this.#describe(timeline, atS, label);
      this.#values[i].textContent = value;
    });
  }

  #describe(timeline, atS, label) {
    const row = nearestRow(timeline, atS);
    if (row < 0 || Math.abs(timeline.atS[row] - atS) > 2 * timeline.binS + 1) return "–";
    const index = this.#compared[0].session.labels.indexOf(label);
    return index < 0
      ? cellName(timeline.dominant[row])
      : formatPercent(timeline.scores[index][row] ?? NaN);
  }
}

/** A session's timeline on the shared axis. */
function shifted({ samples, session, originS }, fromS, toS, points) {
  const view = {
    face: null,
    fromS: fromS + originS,
    toS: toS + originS,
    points,
    sampleHz: session.sample_hz,
  };
  const timeline = buildTimeline(samples, view);
  return { ...timeline, atS: timeline.atS.map((atS) => atS - originS) };
}

function drawRow(row, { samples, originS }, fromS, toS) {
  const cells = dominantParts(samples, {
    face: null,
    fromS: fromS + originS,
    toS: toS + originS,
    parts: PARTS,
  });
  const canvas = row.querySelector("canvas");
  drawStrip(canvas, cells);
  canvas.setAttribute("aria-label", describeStrip(cells));
}

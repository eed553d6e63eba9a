/**
 * Shows the seven expressions over time: the chart, what it says under the cursor, and its keys.
 */
import { formatSigned } from "../../shared/affect.js";
import { emotionName, formatDuration, formatPercent, oneDecimal } from "../../shared/format.js";
import { formatNumber, t } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";
import { Chart } from "../chart.js";
import { affectColumns, buildTimeline, gapsOf, nearestRow, stack } from "../samples.js";
import { cellName } from "../strip.js";
import { ReadoutItem } from "./readout_item.js";

const signed = (value) => (Number.isFinite(value) ? formatSigned(value) : "–");
const lineOf = (label) => ({
  label,
  name: emotionName(label),
  colour: emotionColour(label),
  format: formatPercent,
  dash: [],
});
const AFFECT_LINES = [
  { label: "valence", name: t("valence"), colour: "--accent", format: signed, dash: [] },
  { label: "arousal", name: t("arousal"), colour: "--bad", format: signed, dash: [9, 4] },
];
const JUMP_WINDOW_S = 30;
const KEY_STEPS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };

export class TimelineView {
  #elements;
  #bus;
  #chart;
  #shown = null;
  #timeline = null;
  /** What is drawn: the scores, or valence and arousal. @type {(number | null)[][]} */
  #columns = [];
  #mode = "lines";
  #markers = [];
  #hidden = new Set();
  #cursorS = null;
  #values = [];

  /**
   * @param {{plot: HTMLElement, slider: HTMLElement, readout: HTMLElement, moment: HTMLElement,
   *   note: HTMLElement, zoomIn: HTMLElement, zoomOut: HTMLElement, left: HTMLElement, right:
   *   HTMLElement, reset: HTMLElement, addMarker: HTMLElement | null}} elements addMarker: absent
   *   where markers can only be read
   * @param {import("../../shared/event_bus.js").EventBus} bus emits range-changed {fromS, toS},
   *   marker-add-requested {atS, text}
   * @param {any} uPlot
   */
  constructor(elements, bus, uPlot) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    const onRange = (range) => this.#tellRange(range);
    this.#chart = new Chart(
      { root: elements.plot, uPlot, onRange, onCursor: (atS) => this.#showCursor(atS) },
      signal,
    );
    bus.on("view-changed", (shown) => this.#show(shown));
    bus.on("detail-changed", ({ samples }) => this.#refine(samples));
    bus.on("mode-changed", ({ mode }) => this.#setMode(mode));
    bus.on("markers-changed", ({ markers }) => this.#setMarkers(markers));
    bus.on("jump-requested", ({ atS }) => this.#jump(atS));
    bus.on("print-changed", ({ widthPx }) => this.#chart.setWidth(widthPx));
    this.#listen(signal);
  }

  get canvas() {
    return this.#chart.canvas;
  }

  #listen(signal) {
    const { slider, zoomIn, zoomOut, left, right, reset, addMarker } = this.#elements;
    const on = (element, act) => element.addEventListener("click", act, { signal });
    on(zoomIn, () => this.#chart.zoomBy(0.5, this.#cursorS ?? undefined));
    on(zoomOut, () => this.#chart.zoomBy(2, this.#cursorS ?? undefined));
    on(left, () => this.#chart.pan(-0.5));
    on(right, () => this.#chart.pan(0.5));
    on(reset, () => this.#chart.reset());
    if (addMarker) on(addMarker, () => this.#mark());
    slider.addEventListener("keydown", (event) => this.#press(event), { signal });
  }

  #show(shown) {
    const isFirst = this.#shown === null;
    this.#shown = shown;
    this.#buildReadout();
    this.#draw(!isFirst);
  }

  #refine(samples) {
    this.#shown = { ...this.#shown, samples };
    this.#draw(true);
  }

  #draw(keepsRange) {
    const { session } = this.#shown;
    this.#chart.show(
      {
        domain: [0, Math.max(1, session.length_s)],
        lines: this.#lines().map((line) => this.#line(line)),
        isStacked: this.#mode === "stacked",
        isSigned: this.#mode === "affect",
        read: (fromS, toS, points) => this.#read(fromS, toS, points),
        markers: this.#markers,
      },
      keepsRange,
    );
  }

  /** Each has a column of #columns. */
  #lines() {
    return this.#mode === "affect" ? AFFECT_LINES : this.#shown.session.labels.map(lineOf);
  }

  #line({ label, colour, dash }) {
    const isHidden = this.#mode !== "stacked" && this.#hidden.has(label);
    return { label, colour, dash, isHidden };
  }

  #read(fromS, toS, points) {
    const { samples, session } = this.#shown;
    this.#timeline = buildTimeline(samples, {
      face: null,
      fromS,
      toS,
      points,
      sampleHz: session.sample_hz,
    });
    const isAffect = this.#mode === "affect";
    this.#columns = isAffect
      ? affectColumns(this.#timeline, session.labels)
      : this.#timeline.scores;
    const columns = this.#mode === "stacked" ? stack(this.#columns) : this.#columns;
    const gaps = gapsOf(this.#timeline, Math.max(0, fromS), Math.min(session.length_s, toS));
    return { atS: this.#timeline.atS, columns, gaps };
  }

  #setMode(mode) {
    this.#mode = mode;
    if (!this.#shown) return;
    this.#buildReadout();
    for (const { button } of this.#values) button.disabled = mode === "stacked";
    this.#draw(true);
  }

  #setMarkers(markers) {
    this.#markers = markers.map(({ at_s }, i) => ({ atS: at_s, text: String(i + 1) }));
    this.#chart.setMarkers(this.#markers);
  }

  #jump(atS) {
    const [from, to] = this.#chart.range;
    const half = Math.min(JUMP_WINDOW_S, to - from) / 2;
    this.#chart.zoom([atS - half, atS + half]);
    this.#chart.setCursor(atS);
    this.#elements.slider.focus({ preventScroll: true });
    this.#elements.slider.scrollIntoView({ block: "nearest" });
  }

  #mark() {
    const [from, to] = this.#chart.range;
    this.#bus.emit("marker-add-requested", { atS: this.#cursorS ?? (from + to) / 2, text: "" });
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.#actionOf(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  #actionOf({ key, shiftKey }) {
    const [from, to] = this.#chart.range;
    if (key in KEY_STEPS) return () => this.#step(KEY_STEPS[key] * (shiftKey ? 10 : 1));
    return {
      Home: () => this.#chart.setCursor(from),
      End: () => this.#chart.setCursor(to),
      "+": () => this.#chart.zoomBy(0.5, this.#cursorS ?? undefined),
      "=": () => this.#chart.zoomBy(0.5, this.#cursorS ?? undefined),
      "-": () => this.#chart.zoomBy(2, this.#cursorS ?? undefined),
      0: () => this.#chart.reset(),
      Escape: () => this.#chart.reset(),
      e: () => this.#mark(),
      E: () => this.#mark(),
    }[key];
  }

  /** By points of the chart; past the edge of the window it moves along. */
  #step(points) {
    if (!this.#timeline) return;
    const [from, to] = this.#chart.range;
    const stepS = Math.max(this.#timeline.binS, (to - from) / 200);
    const { length_s } = this.#shown.session;
    const atS = Math.min(
      length_s,
      Math.max(0, (this.#cursorS ?? (from + to) / 2) + points * stepS),
    );
    if (atS < from) this.#chart.pan(-0.5);
    if (atS > to) this.#chart.pan(0.5);
    this.#chart.setCursor(atS);
  }

  #buildReadout() {
    const lines = this.#lines();
    if (this.#values.length === lines.length) return;
    this.#hidden.clear();
    this.#values = lines.map(
      (line, i) => new ReadoutItem(line, (isShown) => this.#toggle(line.label, i, isShown)),
    );
    this.#elements.readout.replaceChildren(...this.#values.map(({ button }) => button));
  }

  #toggle(label, index, isShown) {
    if (isShown) this.#hidden.delete(label);
    else this.#hidden.add(label);
    this.#chart.setLineShown(index, isShown);
  }

  #tellRange([fromS, toS]) {
    const isAll = fromS <= 0 && toS >= this.#shown.session.length_s;
    this.#elements.reset.disabled = isAll;
    this.#elements.left.disabled = fromS <= 0;
    this.#elements.right.disabled = toS >= this.#shown.session.length_s;
    this.#elements.note.textContent = this.#describeDrawing(isAll);
    this.#showCursor(this.#cursorS);
    this.#bus.emit("range-changed", { fromS, toS });
  }

  #describeDrawing(isAll) {
    const { binS } = this.#timeline;
    const seconds = binS < 10 ? oneDecimal(binS) : formatNumber(Math.round(binS));
    const isMean = binS > 1.5 / this.#shown.session.sample_hz;
    const mean = t("Each point is the mean of {seconds} s; zoom in to see more.", { seconds });
    const zoom = isAll ? t("Drag to zoom.") : t("Double click shows all.");
    return [...(isMean ? [mean] : []), zoom, t("Grey: no face in view.")].join(" ");
  }

  #showCursor(atS) {
    this.#cursorS = atS;
    const row = atS === null || !this.#timeline ? -1 : nearestRow(this.#timeline, atS);
    const text = row < 0 ? this.#describeRange() : this.#describeRow(row, atS);
    this.#elements.moment.textContent = text;
    this.#values.forEach((item, i) =>
      item.show(row < 0 ? this.#mean(i) : (this.#columns[i]?.[row] ?? null)),
    );
    this.#describeSlider(atS, text);
  }

  #describeRow(row, atS) {
    return `${formatDuration(atS)} · ${cellName(this.#timeline.dominant[row])}`;
  }

  #describeRange() {
    const [from, to] = this.#chart.range;
    return t("Mean, {from} to {to}", { from: formatDuration(from), to: formatDuration(to) });
  }

  #mean(i) {
    const seen = (this.#columns[i] ?? []).filter((value) => value !== null);
    return seen.length === 0 ? null : seen.reduce((sum, value) => sum + value, 0) / seen.length;
  }

  #describeSlider(atS, text) {
    const { slider } = this.#elements;
    const [from, to] = this.#chart.range;
    const scores = this.#values.map(({ text: value }) => value).join(", ");
    slider.setAttribute("aria-valuemin", String(Math.floor(from)));
    slider.setAttribute("aria-valuemax", String(Math.ceil(to)));
    slider.setAttribute("aria-valuenow", String(Math.round(atS ?? from)));
    slider.setAttribute("aria-valuetext", `${text}: ${scores}`);
  }
}

/**
 * Draws a chart over time: lines or stacked areas, gaps, markers, zoom. It draws and tells; what to
 * draw is passed in.
 *
 * @typedef {object} ChartLine
 * @property {string} label
 * @property {string} colour a colour, or the name of a CSS variable such as "--accent"
 * @property {number[]} [dash]
 * @property {boolean} [isHidden]
 *
 * @typedef {object} ChartContent
 * @property {[number, number]} domain all of the time axis, seconds
 * @property {ChartLine[]} lines
 * @property {boolean} isStacked columns are cumulative shares; each area reaches down to the one
 *   before
 * @property {boolean} [isSigned] values go from -1 to 1, not from 0 to 1
 * @property {(fromS: number, toS: number, points: number) => ChartData} read what is to be drawn of
 *   a window
 * @property {{atS: number, text: string}[]} markers
 *
 * @typedef {{atS: number[], columns: (number | null | undefined)[][], gaps: [number, number][]}}
 *   ChartData
 */
import {
  AXIS_PX,
  RIGHT_PX,
  clampRange,
  cssColour,
  drawMarkers,
  series,
  shareAxis,
  signedAxis,
  timeAxis,
} from "./chart_options.js";

const TALL_PX = 320;
const LOW_PX = 250;
const NARROW_PX = 560;

export class Chart {
  #deps;
  #content = null;
  #plot = null;
  /** @type {[number, number]} */
  #range = [0, 1];
  #data = { atS: [], columns: [], gaps: [] };
  #width = 0;

  /**
   * @param {object} deps
   * @param {HTMLElement} deps.root is filled
   * @param {any} deps.uPlot the library
   * @param {(range: [number, number]) => void} deps.onRange another window is shown
   * @param {(atS: number | null) => void} deps.onCursor the moment under the cursor
   * @param {AbortSignal} signal
   */
  constructor(deps, signal) {
    this.#deps = deps;
    const sizes = new ResizeObserver(([entry]) => this.#resize(entry.contentRect.width));
    sizes.observe(deps.root);
    // The canvas does not follow the style sheet by itself.
    const themes = new MutationObserver(() => this.#plot?.redraw(false));
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    signal.addEventListener(
      "abort",
      () => [sizes, themes].forEach((observer) => observer.disconnect()),
      { once: true },
    );
  }

  /** @returns {[number, number]} the window that is shown */
  get range() {
    return this.#range;
  }

  /** @returns {HTMLCanvasElement | null} */
  get canvas() {
    return this.#plot?.ctx.canvas ?? null;
  }

  /**
   * @param {ChartContent} content
   * @param {boolean} keepsRange the window stays where it is
   */
  show(content, keepsRange) {
    this.#content = content;
    this.#width = this.#deps.root.clientWidth;
    this.#range = keepsRange ? clampRange(this.#range, content.domain) : [...content.domain];
    this.#build();
  }

  setMarkers(markers) {
    if (!this.#content) return;
    this.#content.markers = markers;
    this.#plot?.redraw(false);
  }

  setLineShown(index, isShown) {
    this.#content.lines[index].isHidden = !isShown;
    this.#plot?.setSeries(index + 1, { show: isShown });
  }

  /** @param {[number, number]} range seconds; kept within the domain and not too short */
  zoom(range) {
    if (!this.#plot) return;
    this.#range = clampRange(range, this.#content.domain);
    this.#fill();
    this.#deps.onRange(this.#range);
  }

  reset() {
    if (this.#content) this.zoom(this.#content.domain);
  }

  /**
   * @param {number} factor less than 1 shows less
   * @param {number} [aroundS] what stays where it is
   */
  zoomBy(factor, aroundS = (this.#range[0] + this.#range[1]) / 2) {
    const [from, to] = this.#range;
    this.zoom([aroundS + (from - aroundS) * factor, aroundS + (to - aroundS) * factor]);
  }

  /** @param {number} share of the window, to the right */
  pan(share) {
    const [from, to] = this.#range;
    const shift = (to - from) * share;
    this.zoom([from + shift, to + shift]);
  }

  /** @param {number | null} atS */
  setCursor(atS) {
    if (!this.#plot) return;
    const left = atS === null ? -10 : this.#plot.valToPos(atS, "x");
    this.#plot.setCursor({ left, top: atS === null ? -10 : this.#plot.over.clientHeight / 2 });
  }

  /** @param {number} widthPx for paper; 0 for the screen again */
  setWidth(widthPx) {
    this.#resize(widthPx || this.#deps.root.clientWidth);
  }

  #build() {
    this.#plot?.destroy();
    if (this.#width === 0) return;
    this.#read();
    this.#plot = new this.#deps.uPlot(this.#options(), this.#columns(), this.#deps.root);
    this.#scale();
    this.#listenToTouch(this.#plot);
    this.#deps.onRange(this.#range);
  }

  #resize(width) {
    if (width === 0 || Math.round(width) === Math.round(this.#width)) return;
    this.#width = width;
    if (!this.#plot) return this.#content && this.#build();
    this.#plot.setSize(this.#size());
    return this.#fill();
  }

  #fill() {
    this.#read();
    this.#plot.setData(this.#columns(), false);
    this.#scale();
  }

  /** A little more than the window, so that lines reach its edges. */
  #read() {
    const [from, to] = this.#range;
    const points = Math.max(100, Math.round(this.#width - AXIS_PX));
    const edge = Math.max(1, (2 * (to - from)) / points);
    this.#data = this.#content.read(from - edge, to + edge, points);
  }

  #columns() {
    return [this.#data.atS, ...this.#data.columns];
  }

  #scale() {
    const [min, max] = this.#range;
    this.#plot.batch(() => {
      this.#plot.setScale("x", { min, max });
      this.#plot.setScale("y", { min: this.#content.isSigned ? -1 : 0, max: 1 });
    });
  }

  #size() {
    return { width: this.#width, height: this.#width < NARROW_PX ? LOW_PX : TALL_PX };
  }

  #options() {
    const { lines, isStacked, isSigned } = this.#content;
    return {
      ...this.#size(),
      padding: [12, RIGHT_PX, 0, 0],
      legend: { show: false },
      scales: { x: { time: false, auto: false }, y: { auto: false } },
      axes: [timeAxis(), isSigned ? signedAxis() : shareAxis()],
      series: [{}, ...lines.map((line) => series(line, isStacked))],
      bands: isStacked ? lines.slice(1).map((_line, i) => ({ series: [i + 2, i + 1] })) : [],
      cursor: {
        y: false,
        points: { show: !isStacked },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => this.reset() },
      },
      hooks: {
        drawClear: [(plot) => this.#drawGaps(plot)],
        draw: [(plot) => this.#finishDrawing(plot)],
        setSelect: [(plot) => this.#select(plot)],
        setCursor: [(plot) => this.#tellCursor(plot)],
      },
    };
  }

  #select(plot) {
    const { left, width } = plot.select;
    if (width < 6) return;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.zoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
  }

  #tellCursor(plot) {
    const { left } = plot.cursor;
    this.#deps.onCursor(left === undefined || left < 0 ? null : plot.posToVal(left, "x"));
  }

  #finishDrawing(plot) {
    drawMarkers(plot, this.#content.markers);
    this.#deps.root.dispatchEvent(new CustomEvent("chartdrawn", { bubbles: true }));
  }

  #drawGaps(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = cssColour("--surface-sunken");
    for (const [from, to] of this.#data.gaps) {
      const [left, right] = [from, to].map((time) => plot.valToPos(time, "x", true));
      const start = Math.max(bbox.left, left);
      ctx.fillRect(
        start,
        bbox.top,
        Math.max(0, Math.min(bbox.left + bbox.width, right) - start),
        bbox.height,
      );
    }
    ctx.restore();
  }

  /** A finger moves the cursor, as a mouse does; up and down still scrolls the page. */
  #listenToTouch(plot) {
    const follow = ({ pointerType, clientX }) => {
      if (pointerType === "mouse") return;
      const { left, height } = plot.over.getBoundingClientRect();
      plot.setCursor({ left: clientX - left, top: height / 2 });
    };
    plot.over.addEventListener("pointerdown", follow);
    plot.over.addEventListener("pointermove", follow);
  }
}

/**
 * Draws boxes and labels over the video, each where its face is on the picture that is on the
 * screen.
 */
import { describeFace } from "../format.js";
import { boxToRect, clipBox, fitRect } from "../geometry.js";
import { drawHeatmap, moveCorners } from "../heatmap.js";
import { boxAt, observe } from "../motion.js";
import { overlap } from "../label_layout.js";
import { drawFaces } from "../overlay_painter.js";
import { t } from "../words.js";

/** Boxes of a result this old say nothing about the picture any more; before that they fade. */
const STALE_MS = 1000;
const FADES_FROM_MS = 600;
const FAINTEST = 0.4;
/** So many results in a row come late before somebody is told: the first one of a server may. */
const LATE_RESULTS = 3;
const LATE = {
  id: "late",
  tone: "warning",
  title: t("Results come late"),
  text: t("The server or the network is slow."),
};

/** Of what can be shown these are the overlay's. */
const PARTS = ["boxes", "labels", "percentages", "second"];

/** A label must find room beside its box. */
const NAME_LETTERS = 18;
const shorten = (name) =>
  [...name].length > NAME_LETTERS ? `${[...name].slice(0, NAME_LETTERS).join("")}…` : name;

export class OverlayView {
  #canvas;
  #context;
  #frameSize;
  #faces = [];
  #tracks = new Map();
  #result = null;
  #shownMs = 0;
  #isMirrored = true;
  #isLive = false;
  #hasHeatmaps = false;
  #isScheduled = false;
  #lateResults = 0;
  /** Where labels were, by the context that they were drawn on: none must jump. */
  #labels = new WeakMap();
  #parts = { boxes: true, labels: true, percentages: true, second: true, scale: 1 };
  /** Where each face was drawn, in view units. */
  #rects = new Map();
  #pointedId = null;
  #names = new Map();
  #bus;
  #view = { width: 0, height: 0 };

  /**
   * @param {{canvas: HTMLCanvasElement}} elements
   * @param {import("../event_bus.js").EventBus} bus
   * @param {() => import("../geometry.js").Size} frameSize of the picture beneath
   */
  constructor({ canvas }, bus, frameSize) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#frameSize = frameSize;
    this.#bus = bus;
    bus.on("result", (result) => this.#take(result));
    bus.on("video-frame", ({ capturedMs }) => this.#show(capturedMs));
    bus.on("session-changed", ({ state }) => this.#restart(state === "live"));
    bus.on("mirror-changed", ({ isMirrored }) => this.#mirror(isMirrored));
    bus.on("heatmap-changed", ({ isOn }) => this.#showHeatmaps(isOn));
    bus.on("show-changed", (parts) => this.#choose(parts));
    bus.on("names-changed", ({ names }) => this.#showNames(names));
    this.#watchSize();
    this.#watchPointer();
  }

  /**
   * Draws the overlay as it stands now.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {{width: number, height: number}} view in the context's units
   * @param {number} [alpha] 0-1, how strong boxes and labels are
   * @returns {{id: number, box: number[], label: string, text: string, hasHeatmap: boolean}[]} what
   *   was drawn
   */
  paint(context, view, alpha = 1) {
    const picture = fitRect(this.#frameSize(), view, "contain");
    const boxes = new Map(
      this.#faces.map(({ id }) => [id, boxAt(this.#tracks.get(id), this.#shownMs)]),
    );
    // All maps first: none may hide another face's label.
    if (this.#hasHeatmaps)
      this.#faces.forEach((face) => this.#paintHeatmap(context, face, boxes.get(face.id), picture));
    const drawings = this.#faces.map((face) => {
      const box = clipBox(boxes.get(face.id));
      const rect = boxToRect(box, picture, this.#isMirrored);
      const isPointed = face.id === this.#pointedId;
      return { face, box, rect, text: this.#describe(face), isPointed, alpha };
    });
    const labels = drawFaces(context, drawings, view, this.#labels.get(context), this.#parts);
    this.#labels.set(context, labels);
    if (context === this.#context)
      this.#rects = new Map(drawings.map(({ face, rect }) => [face.id, rect]));
    return drawings.map(({ face, box, text }) => ({
      id: face.id,
      box,
      label: face.label,
      text,
      hasHeatmap: this.#hasHeatmaps && Boolean(face.heatmap),
    }));
  }

  #describe(face) {
    const name = this.#names.get(face.id);
    const text = describeFace(face, this.#parts.percentages, this.#parts.second);
    return name ? `${shorten(name)}: ${text}` : text;
  }

  /** @param {{show: readonly string[], scale?: number}} shown */
  #choose({ show, scale = 1 }) {
    const [boxes, labels, percentages, second] = PARTS.map((part) => show.includes(part));
    this.#parts = { boxes, labels, percentages, second, scale };
    this.#schedule();
  }

  #showNames(names) {
    this.#names = names;
    this.#schedule();
  }

  /** 1 for a new result, less for one that is about to be too old. */
  #freshness() {
    const ageMs = this.#shownMs - (this.#result?.capturedMs ?? this.#shownMs);
    const share = (STALE_MS - ageMs) / (STALE_MS - FADES_FROM_MS);
    return Math.max(FAINTEST, Math.min(1, share));
  }

  #watchPointer() {
    const options = { signal: this.#bus.signal };
    const stage = this.#canvas.parentElement;
    stage?.addEventListener("pointermove", (event) => this.#point(this.#faceAt(event)), options);
    stage?.addEventListener("pointerleave", () => this.#point(null), options);
    this.#bus.on("face-pointed", ({ id }) => {
      this.#pointedId = id;
      this.#schedule();
    });
  }

  #point(id) {
    if (id !== this.#pointedId) this.#bus.emit("face-pointed", { id });
  }

  #faceAt({ clientX, clientY }) {
    const { left, top } = this.#canvas.getBoundingClientRect();
    const point = { x: clientX - left, y: clientY - top, width: 1, height: 1 };
    for (const [id, rect] of this.#rects) if (overlap(rect, point)) return id;
    return null;
  }

  #paintHeatmap(context, { heatmap, label, box }, boxNow, picture) {
    if (!heatmap) return;
    const corners = moveCorners(heatmap.corners, box, boxNow);
    drawHeatmap(context, heatmap, label, { picture, isMirrored: this.#isMirrored, corners });
  }

  #take(result) {
    const tracks = new Map();
    for (const { id, box } of result.faces) {
      tracks.set(id, observe(this.#tracks.get(id), box, result.capturedMs, this.#shownMs));
    }
    this.#tracks = tracks;
    const isSameCast =
      tracks.size === this.#faces.length && this.#faces.every(({ id }) => tracks.has(id));
    this.#faces = result.faces;
    this.#result = result;
    this.#tellWhenLate(result);
    // When the next picture is already up, the one after it draws the box where it is by then.
    if (!isSameCast || result.capturedMs >= this.#shownMs) this.#schedule();
  }

  #tellWhenLate({ capturedMs }) {
    const isLate = this.#shownMs - capturedMs > STALE_MS;
    this.#lateResults = isLate ? this.#lateResults + 1 : 0;
    if (this.#lateResults === LATE_RESULTS) this.#bus.emit("message", LATE);
    if (!isLate) this.#bus.emit("message-cleared", { id: LATE.id });
  }

  #show(capturedMs) {
    this.#shownMs = capturedMs;
    if (this.#faces.length === 0) return;
    if (capturedMs - this.#result.capturedMs > STALE_MS) this.#faces = [];
    this.#schedule();
  }

  #restart(isLive) {
    this.#isLive = isLive;
    this.#forget();
  }

  #forget() {
    this.#lateResults = 0;
    this.#bus.emit("message-cleared", { id: LATE.id });
    this.#faces = [];
    this.#tracks = new Map();
    this.#labels = new WeakMap();
    this.#rects = new Map();
    this.#result = null;
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #mirror(isMirrored) {
    this.#isMirrored = isMirrored;
    this.#schedule();
  }

  #showHeatmaps(isOn) {
    this.#hasHeatmaps = isOn;
    this.#schedule();
  }

  #watchSize() {
    const observer = new ResizeObserver(([entry]) => {
      this.#view = { width: entry.contentRect.width, height: entry.contentRect.height };
      this.#schedule();
    });
    observer.observe(this.#canvas);
    this.#bus.signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#isScheduled = false;
    if (!this.#isLive || !this.#result || this.#bus.signal.aborted) return;
    const scale = this.#fitCanvas();
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#context.clearRect(0, 0, this.#view.width, this.#view.height);
    const faces = this.paint(this.#context, this.#view, this.#freshness());
    const { seq, capturedMs } = this.#result;
    this.#canvas.dispatchEvent(
      new CustomEvent("overlaydrawn", { detail: { faces, seq, capturedMs } }),
    );
  }

  /** @returns {number} canvas pixels per CSS pixel; more than two cost time and show nothing */
  #fitCanvas() {
    const scale = Math.min(2, devicePixelRatio || 1);
    const width = Math.round(this.#view.width * scale);
    const height = Math.round(this.#view.height * scale);
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    return scale;
  }
}

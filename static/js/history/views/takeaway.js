/** Offers what can be taken along: exports, a picture of the chart, the page on paper. */
import { emotionName, formatDuration, sessionName } from "../../shared/format.js";
import { locale } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";
import { saveFile } from "../../shared/save_file.js";
import { cssColour } from "../chart_options.js";

const HEAD_PX = 64;
const FOOT_PX = 34;

export class TakeawayView {
  #elements;
  #chart;
  #session = null;

  /**
   * @param {{menu: HTMLDetailsElement, png: HTMLButtonElement, print: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {() => HTMLCanvasElement | null} chart
   */
  constructor(elements, bus, chart) {
    const { signal } = bus;
    this.#elements = elements;
    this.#chart = chart;
    const { menu, png, print } = elements;
    png.addEventListener("click", () => this.#savePicture(), { signal });
    print.addEventListener("click", () => (this.#close(), globalThis.print()), { signal });
    menu.addEventListener("keydown", (event) => event.key === "Escape" && this.#close(true), {
      signal,
    });
    document.addEventListener(
      "click",
      ({ target }) => menu.contains(/** @type {Node} */ (target)) || this.#close(),
      { signal },
    );
    menu.addEventListener(
      "click",
      ({ target }) => /** @type {Element} */ (target).closest("a") && this.#close(),
      { signal },
    );
    bus.on("session-changed", ({ session }) => (this.#session = session));
  }

  #close(returnsFocus = false) {
    this.#elements.menu.open = false;
    if (returnsFocus) this.#elements.menu.querySelector("summary").focus();
  }

  #savePicture() {
    this.#close();
    const chart = this.#chart();
    if (!chart || !this.#session) return;
    compose(chart, this.#session).toBlob(
      (blob) => blob && saveFile(blob, fileName(this.#session)),
      "image/png",
    );
  }
}

/** Draws the chart with its title above and its legend below. */
function compose(chart, session) {
  const scale = devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = chart.width;
  canvas.height = chart.height + (HEAD_PX + FOOT_PX) * scale;
  const context = canvas.getContext("2d");
  context.fillStyle = cssColour("--surface");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(chart, 0, HEAD_PX * scale);
  context.scale(scale, scale);
  writeHead(context, session, canvas.width / scale);
  writeLegend(context, session.labels, canvas.height / scale - 14);
  return canvas;
}

function writeHead(context, { name, started_at, length_s }, width) {
  context.fillStyle = cssColour("--text");
  context.font = "600 18px system-ui, sans-serif";
  context.fillText(sessionName({ name, started_at }), 14, 28, width - 28);
  context.fillStyle = cssColour("--text-soft");
  context.font = "13px system-ui, sans-serif";
  context.fillText(
    `${new Date(started_at).toLocaleString(locale)} · ${formatDuration(length_s)}`,
    14,
    50,
    width - 28,
  );
}

function writeLegend(context, labels, y) {
  let x = 14;
  context.font = "12px system-ui, sans-serif";
  for (const label of labels) {
    context.fillStyle = emotionColour(label);
    context.fillRect(x, y - 9, 10, 10);
    context.fillStyle = cssColour("--text");
    const name = emotionName(label);
    context.fillText(name, x + 14, y);
    x += 30 + context.measureText(name).width;
  }
}

function fileName({ name }) {
  const plain = name
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return `${plain || "session"}.png`;
}

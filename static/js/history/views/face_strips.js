/** Shows under the chart, on its axis, what each face showed when. */
import { faceTitle, titlesOf } from "../people.js";
import { cellsOf, describeStrip, drawStrip } from "../strip.js";

const PARTS = 600;

export class FaceStripsView {
  #root;
  #strips = {};
  #titleOf = faceTitle;
  #range = null;

  /**
   * @param {{root: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor({ root }, bus) {
    this.#root = root;
    bus.on("view-changed", ({ summary }) => this.#take(summary.strips));
    bus.on("session-changed", ({ session }) => this.#name(titlesOf(session.face_list)));
    bus.on("range-changed", (range) => this.#show(range));
  }

  #take(strips) {
    this.#strips = strips;
    const faces = Object.keys(strips).sort((a, b) => Number(a) - Number(b));
    this.#root.replaceChildren(...faces.map(stripRow));
    this.#name(this.#titleOf);
    if (this.#range) this.#draw();
  }

  #name(titleOf) {
    this.#titleOf = titleOf;
    for (const row of this.#root.children) {
      const title = titleOf(Number(row.dataset.face));
      row.title = row.querySelector("span").textContent = title;
    }
  }

  #show(range) {
    this.#range = range;
    this.#draw();
  }

  #draw() {
    for (const row of this.#root.children) {
      const cells = cellsOf(this.#strips[row.dataset.face], { ...this.#range, parts: PARTS });
      const canvas = row.querySelector("canvas");
      drawStrip(canvas, cells);
      canvas.setAttribute("aria-label", `${row.title}: ${describeStrip(cells)}`);
    }
  }
}

function stripRow(face) {
  const row = document.createElement("div");
  const name = document.createElement("span");
  const canvas = document.createElement("canvas");
  row.className = "face-strip";
  row.dataset.face = face;
  canvas.className = "strip";
  canvas.setAttribute("role", "img");
  row.append(name, canvas);
  return row;
}

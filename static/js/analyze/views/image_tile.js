/**
 * Shows one picture of the grid: small, with its boxes, what was found, or its error in words. A
 * part of TileGridView.
 */
import { boxToRect, clipBox, coverAround } from "../../shared/geometry.js";
import { capitalise } from "../../shared/format.js";
import { drawFaceFrame } from "../../shared/overlay_painter.js";
import { emotionColour } from "../../shared/palette.js";
import { serverText } from "../../shared/server_errors.js";
import { t } from "../../shared/words.js";
import { summariseFaces } from "../still_analysis.js";
import { fromTemplate } from "../../shared/template_parts.js";

/** Pixels of the picture's longer side: twice what the largest tile shows. */
const THUMB_SIDE = 480;
const STATES = { waiting: t("Waits for its turn"), analysing: t("Analysing") };

export class ImageTile {
  element;
  #load;
  #item = null;
  #picture = null;
  #shownState = "";

  /**
   * @param {HTMLTemplateElement} template
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {(item: object, side: number) => Promise<import("../pictures.js").Picture | null>} load
   */
  constructor(template, bus, load) {
    const { element, part } = fromTemplate(template);
    this.element = element;
    this.part = part;
    this.#load = load;
    for (const [name, event] of [
      ["open", "image-selected"],
      ["retry", "image-retry-requested"],
      ["remove", "image-remove-requested"],
    ]) {
      this.part(name).addEventListener("click", () => bus.emit(event, { id: this.#item.id }));
    }
  }

  /** @param {import("../image_queue.js").ImageItem} item */
  show(item) {
    this.#item = item;
    const { state, name, result, error } = item;
    this.element.dataset.state = state;
    this.element.dataset.image = String(item.id);
    this.part("name").textContent = this.part("name").title = name;
    this.part("text").textContent = error ? serverText(error) : describeState(state, result);
    this.#showSwatch(result?.faces ?? []);
    this.part("spinner").hidden = state !== "analysing";
    this.part("retry").hidden = state !== "failed";
    this.part("retry").setAttribute("aria-label", t("Try {name} again", { name }));
    this.part("remove").setAttribute("aria-label", t("Remove {name}", { name }));
    // What the picture looks like changes with its faces only.
    const shownState = result ? "done" : error ? "failed" : "new";
    if (shownState !== this.#shownState) this.#draw(item);
    this.#shownState = shownState;
  }

  showSelected(isSelected) {
    this.part("open").setAttribute("aria-current", String(isSelected));
    this.part("open").tabIndex = isSelected ? 0 : -1;
  }

  #showSwatch(faces) {
    const swatch = this.part("swatch");
    swatch.hidden = faces.length !== 1 || !faces[0].sure;
    if (!swatch.hidden) swatch.style.setProperty("--emotion", emotionColour(faces[0].label));
  }

  /** Loaded when it comes, kept until its boxes are drawn. */
  async #draw(item) {
    const picture = this.#picture ?? (await this.#load(item, THUMB_SIDE));
    if (item !== this.#item) return;
    this.#picture = item.result ? null : picture;
    this.element.classList.toggle("is-blind", picture === null);
    if (picture) drawThumb(this.part("thumb"), picture, item.result?.faces ?? []);
  }
}

const describeState = (state, result) =>
  result ? capitalise(summariseFaces(result.faces)) : STATES[state];

/** Draws the part of the picture with the faces, with their boxes. */
function drawThumb(canvas, { canvas: picture, isAnnotated }, faces) {
  const view = { width: 360, height: 270 };
  Object.assign(canvas, view);
  const context = canvas.getContext("2d");
  const rect = coverAround(picture, view, middleOf(faces));
  context.drawImage(picture, rect.x, rect.y, rect.width, rect.height);
  if (isAnnotated) return;
  for (const face of faces)
    drawFaceFrame(context, {
      rect: boxToRect(clipBox(face.box), rect, false),
      face,
      view: { width: 700, height: 700 },
    });
}

function middleOf(faces) {
  if (faces.length === 0) return { x: 0.5, y: 0.5 };
  const mean = (at) =>
    faces.reduce((sum, { box }) => sum + box[at] + box[at + 2] / 2, 0) / faces.length;
  return { x: mean(0), y: mean(1) };
}

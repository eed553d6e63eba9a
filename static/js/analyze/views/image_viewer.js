/**
 * Shows the picture that is looked at, with its boxes, labels and heat maps, and its faces as
 * buttons.
 */
import { countFaces, describeFace, formatBytes } from "../../shared/format.js";
import { boxToRect, clipBox, fitRect } from "../../shared/geometry.js";
import { drawHeatmap } from "../../shared/heatmap.js";
import { drawFaces } from "../../shared/overlay_painter.js";
import { serverText } from "../../shared/server_errors.js";
import { t } from "../../shared/words.js";

/** Pixels of the longer side that are kept of a picture. */
const PICTURE_SIDE = 1800;
/** Faces beside the chosen one step back. */
const OTHER_ALPHA = 0.85;

export class ImageViewerView {
  #elements;
  #bus;
  #load;
  #selection = { item: null, face: null };
  #picture = null;
  #pictureOf = "";
  #view = { width: 0, height: 0 };

  /**
   * @param {{viewer: HTMLElement, stage: HTMLElement, canvas: HTMLCanvasElement, faces:
   *   HTMLElement, waits: HTMLElement, waitsText: HTMLElement, error: HTMLElement, errorText:
   *   HTMLElement, retry: HTMLButtonElement, blind: HTMLElement, back: HTMLButtonElement, on:
   *   HTMLButtonElement, name: HTMLElement, facts: HTMLElement, annotated: HTMLButtonElement, csv:
   *   HTMLButtonElement, json: HTMLButtonElement, remove: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits face-selected {id},
   *   image-step-requested {steps}, image-retry-requested {id}, image-remove-requested {id} and
   *   download-requested {format, ids}
   * @param {(item: object, side: number) => Promise<import("../pictures.js").Picture | null>} load
   */
  constructor(elements, bus, load) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#load = load;
    bus.on("selection-changed", (selection) => this.#show(selection));
    this.#listen(signal);
    this.#watchSize();
  }

  #listen(signal) {
    const { retry, back, on, remove } = this.#elements;
    const press = (button, type, detail) =>
      button.addEventListener("click", () => this.#bus.emit(type, detail()), { signal });
    const id = () => ({ id: this.#selection.item.id });
    press(retry, "image-retry-requested", id);
    // The button goes while it is tried; the keyboard stays here.
    retry.addEventListener("click", () => this.#elements.stage.focus({ preventScroll: true }), {
      signal,
    });
    press(remove, "image-remove-requested", id);
    press(back, "image-step-requested", () => ({ steps: -1 }));
    press(on, "image-step-requested", () => ({ steps: 1 }));
    for (const format of ["annotated", "csv", "json"]) {
      press(this.#elements[format], "download-requested", () => ({
        format,
        ids: [this.#selection.item.id],
      }));
    }
  }

  #watchSize() {
    const observer = new ResizeObserver(([entry]) => {
      this.#view = { width: entry.contentRect.width, height: entry.contentRect.height };
      this.#draw();
    });
    observer.observe(this.#elements.stage);
    this.#bus.signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  #show(selection) {
    this.#selection = selection;
    const { item, place, count } = selection;
    const { viewer, waits, waitsText, error, errorText, retry, back, on } = this.#elements;
    viewer.dataset.state = item?.state ?? "none";
    if (!item) return this.#forget();
    waits.hidden = item.state === "done" || item.state === "failed";
    waitsText.textContent = item.state === "waiting" ? t("Waits for its turn") : t("Analysing");
    error.hidden = item.state !== "failed";
    errorText.textContent = item.error ? serverText(item.error) : "";
    retry.hidden = item.error?.code === "too_large" || item.error?.code === "empty";
    back.hidden = on.hidden = count < 2;
    back.disabled = place === 0;
    on.disabled = place === count - 1;
    this.#describe(item);
    this.#open(item);
    this.#draw();
  }

  #forget() {
    this.#picture = null;
    this.#pictureOf = "";
    this.#elements.faces.replaceChildren();
  }

  #describe({ name, file, result, state }) {
    const { name: heading, facts, annotated, csv, json } = this.#elements;
    heading.textContent = heading.title = name;
    const found = result
      ? [`${result.width} × ${result.height}`, countFaces(result.faces.length)]
      : [];
    facts.textContent = [...found, formatBytes(file.size)].join(" · ");
    annotated.disabled = csv.disabled = json.disabled = state !== "done";
  }

  async #open(item) {
    // Where the browser cannot show it, the server can, once it has read it.
    const key = `${item.id} ${item.state === "done"}`;
    if (key === this.#pictureOf) return;
    const isAnother = !this.#pictureOf.startsWith(`${item.id} `);
    this.#pictureOf = key;
    if (isAnother) this.#picture = null;
    const picture = await this.#load(item, PICTURE_SIDE);
    if (key !== this.#pictureOf) return;
    this.#picture = picture;
    this.#draw();
  }

  #draw() {
    const { stage, canvas, blind } = this.#elements;
    const { item } = this.#selection;
    if (!item || this.#view.width === 0) return;
    const shape = this.#picture?.canvas ?? item.result;
    if (shape) stage.style.setProperty("--picture-ratio", (shape.width / shape.height).toFixed(4));
    const scale = Math.min(2, devicePixelRatio || 1);
    canvas.width = Math.round(this.#view.width * scale);
    canvas.height = Math.round(this.#view.height * scale);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const rect = fitRect(shape ?? this.#view, this.#view, "contain");
    if (this.#picture)
      context.drawImage(this.#picture.canvas, rect.x, rect.y, rect.width, rect.height);
    blind.hidden = this.#picture !== null || item.state !== "done";
    canvas.setAttribute("aria-label", describePicture(item));
    const drawn = this.#drawFaces(context, item.result?.faces ?? [], rect);
    canvas.dispatchEvent(
      new CustomEvent("picturedrawn", {
        detail: { image: item.id, hasPicture: this.#picture !== null, faces: drawn },
      }),
    );
  }

  #drawFaces(context, faces, picture) {
    const { face: chosen, hasHeat, emotion } = this.#selection;
    const ordered = [...faces].sort(
      (a, b) => Number(a.id === chosen?.id) - Number(b.id === chosen?.id),
    );
    if (hasHeat)
      for (const { heatmap, label } of faces)
        if (heatmap) drawHeatmap(context, heatmap, emotion ?? label, { picture });
    const drawings = ordered.map((face) => ({
      face,
      rect: boxToRect(clipBox(face.box), picture, false),
      text: describeFace(face),
      alpha: face.id === chosen?.id ? 1 : OTHER_ALPHA,
    }));
    if (!this.#picture?.isAnnotated) drawFaces(context, drawings, this.#view);
    const rects = faces.map((face) => ({
      face,
      rect: boxToRect(clipBox(face.box), picture, false),
    }));
    this.#placeButtons(rects, chosen);
    return rects.map(({ face, rect }) => ({
      id: face.id,
      label: face.label,
      rect,
      box: [...face.box],
    }));
  }

  #placeButtons(rects, chosen) {
    const { faces } = this.#elements;
    while (faces.children.length > rects.length) faces.lastElementChild.remove();
    while (faces.children.length < rects.length) faces.append(this.#faceButton());
    rects.forEach(({ face, rect }, i) => {
      const button = faces.children[i];
      button.dataset.face = String(face.id);
      button.setAttribute(
        "aria-label",
        t("Face {id}: {label}", { id: face.id, label: describeFace(face) }),
      );
      button.setAttribute("aria-pressed", String(face.id === chosen?.id));
      for (const [property, value] of [
        ["left", rect.x],
        ["top", rect.y],
        ["width", rect.width],
        ["height", rect.height],
      ]) {
        button.style.setProperty(property, `${value}px`);
      }
      // Small faces lie above large ones, so that each can be pressed.
      button.style.setProperty(
        "z-index",
        String(Math.round(1000 - Math.min(999, Math.sqrt(rect.width * rect.height)))),
      );
    });
  }

  #faceButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "face-button";
    button.addEventListener("click", () =>
      this.#bus.emit("face-selected", { id: Number(button.dataset.face) }),
    );
    return button;
  }
}

/** @param {import("../image_queue.js").ImageItem} item */
function describePicture({ name, result }) {
  if (!result) return name;
  const says = result.faces.map((face) =>
    t("face {id} {label}", { id: face.id, label: describeFace(face) }),
  );
  return t("{name}: {text}", { name, text: says.join("; ") || t("no face found") });
}

/**
 * Shows the picture: the picture itself, a calm ground for the boxes, or why there is
 * neither.
 */
import { t } from "../../shared/words.js";

/** @type {Readonly<Record<string, {title: string, text: string}>>} */
const NOTES = Object.freeze({
  connecting: {
    title: t("Connecting"),
    text: t("The page was loaded; the live connection comes up."),
  },
  waiting: {
    title: t("Waiting for the host"),
    text: t("Nobody is live yet. It begins here by itself when the host starts the camera."),
  },
  quiet: {
    title: t("The picture stands still"),
    text: t("The host is live, but no results come: the host's page may be in the background."),
  },
});

export class WatchStageView {
  #elements;
  #context;

  /**
   * @param {{stage: HTMLElement, picture: HTMLCanvasElement, title: HTMLElement, text: HTMLElement,
   *   steps: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#context = elements.picture.getContext("2d");
    bus.on("watch-changed", (watched) => this.#show(watched));
    bus.on("frame-size", (size) => this.#shape(size));
    bus.on("picture", ({ bitmap }) => this.#paint(bitmap));
  }

  #show({ state, hasVideo, farewell }) {
    const { stage, title, text, steps } = this.#elements;
    // The style sheet knows the live page's states: a note stands where no picture is.
    stage.dataset.state = state;
    stage.dataset.video = hasVideo ? "on" : "off";
    const note = farewell ?? NOTES[state];
    if (!note) return;
    title.textContent = note.title;
    text.textContent = note.text;
    steps.replaceChildren(
      ...(note.steps ?? []).map((step) => {
        const item = document.createElement("li");
        item.textContent = step;
        return item;
      }),
    );
  }

  /** The stage takes the picture's shape as far as the window allows. */
  #shape({ width, height }) {
    const { stage, picture } = this.#elements;
    if (picture.width === width && picture.height === height) return;
    picture.width = width;
    picture.height = height;
    stage.style.setProperty("--picture-ratio", String(width / height));
  }

  #paint(bitmap) {
    const { picture } = this.#elements;
    if (bitmap) {
      this.#context.drawImage(bitmap, 0, 0, picture.width, picture.height);
      bitmap.close();
    } else {
      this.#context.clearRect(0, 0, picture.width, picture.height);
    }
    picture.dataset.shown = bitmap ? "yes" : "no";
  }
}

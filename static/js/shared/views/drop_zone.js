/** Takes files that are dropped anywhere on the page, or pasted into it. */
import { readDropped } from "../dropped_files.js";

/** Browsers say at least three times a second that something is held over the page. */
const HELD_MS = 700;

export class DropZoneView {
  #veil;
  #bus;
  #veilTimer = null;

  /**
   * @param {{veil: HTMLElement}} elements
   * @param {import("../event_bus.js").EventBus} bus emits files-dropped {files, found}, see
   *   dropped_files.js
   */
  constructor({ veil }, bus) {
    const { signal } = bus;
    this.#veil = veil;
    this.#bus = bus;
    for (const name of ["dragenter", "dragover"])
      document.addEventListener(name, (event) => this.#hold(event), { signal });
    document.addEventListener(
      "dragleave",
      ({ relatedTarget }) => relatedTarget === null && this.#showVeil(false),
      { signal },
    );
    document.addEventListener("drop", (event) => this.#drop(event), { signal });
    document.addEventListener("paste", (event) => this.#paste(event), { signal });
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#bus.emit("files-dropped", { files, found: [] });
  }

  #hold(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.#showVeil(true);
  }

  /** Not every way of giving up is told: what is held no longer is not said to be held either. */
  #showVeil(isHeld) {
    clearTimeout(this.#veilTimer);
    this.#veil.hidden = !isHeld;
    if (isHeld) this.#veilTimer = setTimeout(() => this.#showVeil(false), HELD_MS);
  }

  async #drop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#showVeil(false);
    this.#bus.emit("files-dropped", await readDropped(event.dataTransfer));
  }
}

const hasFiles = ({ dataTransfer }) =>
  dataTransfer !== null && [...dataTransfer.types].includes("Files");

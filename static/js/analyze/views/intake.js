/** Takes files to the page: chosen, dropped anywhere, or pasted. */
import { readDropped } from "../dropped_files.js";

/** Browsers say at least three times a second that something is held over the page. */
const HELD_MS = 700;

export class IntakeView {
  #elements;
  #bus;
  #veilTimer = null;
  #isEmpty = { images: true, videos: true, folder: true };

  /**
   * @param {{page: HTMLElement, veil: HTMLElement, chooseFiles: HTMLButtonElement, chooseFolder:
   *   HTMLButtonElement, files: HTMLInputElement, folder: HTMLInputElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits files-added {files} and
   *   folder-added {found}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#listenToButtons(signal);
    this.#listenToDrops(signal);
    document.addEventListener("paste", (event) => this.#paste(event), { signal });
    bus.on("images-changed", ({ items }) => this.#show({ images: items.length === 0 }));
    bus.on("videos-changed", ({ videos }) => this.#show({ videos: videos.length === 0 }));
    bus.on("folder-changed", ({ status }) => this.#show({ folder: status === "none" }));
  }

  #listenToButtons(signal) {
    const { chooseFiles, chooseFolder, files, folder } = this.#elements;
    chooseFiles.addEventListener("click", () => files.click(), { signal });
    chooseFolder.addEventListener("click", () => folder.click(), { signal });
    files.addEventListener(
      "change",
      () => this.#takeChosen(files, (chosen) => this.#addFiles(chosen)),
      { signal },
    );
    folder.addEventListener(
      "change",
      () => this.#takeChosen(folder, (chosen) => this.#addFolder(chosen.map(withPath))),
      { signal },
    );
  }

  #takeChosen(input, add) {
    const chosen = [...input.files];
    // The same file may be chosen again.
    input.value = "";
    add(chosen);
  }

  #listenToDrops(signal) {
    const over = (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      this.#showVeil(true);
    };
    document.addEventListener("dragenter", over, { signal });
    document.addEventListener("dragover", over, { signal });
    document.addEventListener(
      "dragleave",
      ({ relatedTarget }) => relatedTarget === null && this.#showVeil(false),
      { signal },
    );
    document.addEventListener("drop", (event) => this.#drop(event), { signal });
  }

  /** Not every way of giving up is told: what is held no longer is not said to be held either. */
  #showVeil(isHeld) {
    clearTimeout(this.#veilTimer);
    this.#elements.veil.hidden = !isHeld;
    if (isHeld) this.#veilTimer = setTimeout(() => this.#showVeil(false), HELD_MS);
  }

  async #drop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#showVeil(false);
    const { files, found } = await readDropped(event.dataTransfer);
    if (files.length > 0) this.#addFiles(files);
    if (found.length > 0) this.#addFolder(found);
    if (files.length + found.length === 0) this.#bus.emit("folder-added", { found: [] });
  }

  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.#addFiles(files);
  }

  #addFiles(files) {
    if (files.length > 0) this.#bus.emit("files-added", { files });
  }

  #addFolder(found) {
    this.#bus.emit("folder-added", { found });
  }

  #show(changes) {
    Object.assign(this.#isEmpty, changes);
    this.#elements.page.dataset.state = Object.values(this.#isEmpty).every(Boolean)
      ? "empty"
      : "filled";
  }
}

const hasFiles = ({ dataTransfer }) =>
  dataTransfer !== null && [...dataTransfer.types].includes("Files");

const withPath = (file) => ({ path: file.webkitRelativePath || file.name, file });

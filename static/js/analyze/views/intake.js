/** Takes files to the page that were chosen. */

export class IntakeView {
  #elements;
  #bus;
  #isEmpty = { images: true, videos: true, folder: true };

  /**
   * @param {{page: HTMLElement, chooseFiles: HTMLButtonElement, chooseFolder:
   *   HTMLButtonElement, files: HTMLInputElement, folder: HTMLInputElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits files-added {files} and
   *   folder-added {found}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    this.#listenToButtons(signal);
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

const withPath = (file) => ({ path: file.webkitRelativePath || file.name, file });

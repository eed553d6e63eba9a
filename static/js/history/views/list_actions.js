/** Offers the import, and the deletion of everything, which is asked for twice. */
export class ListActionsView {
  /**
   * @param {{importButton: HTMLButtonElement, file: HTMLInputElement, removeAll: HTMLButtonElement,
   *   dialog: HTMLDialogElement, confirm: HTMLButtonElement, cancel: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits import-requested {file} and
   *   delete-all-requested
   */
  constructor({ importButton, file, removeAll, dialog, confirm, cancel }, bus) {
    const { signal } = bus;
    importButton.addEventListener("click", () => file.click(), { signal });
    file.addEventListener(
      "change",
      () => {
        if (file.files[0]) bus.emit("import-requested", { file: file.files[0] });
        // So that the same file, mended, can be chosen again.
        file.value = "";
      },
      { signal },
    );
    removeAll.addEventListener("click", () => dialog.showModal(), { signal });
    cancel.addEventListener("click", () => dialog.close(), { signal });
    confirm.addEventListener(
      "click",
      () => {
        dialog.close();
        bus.emit("delete-all-requested");
      },
      { signal },
    );
  }
}

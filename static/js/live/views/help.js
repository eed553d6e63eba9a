/** Shows the list of keyboard shortcuts. */
export class HelpView {
  /**
   * @param {{dialog: HTMLDialogElement, close: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor({ dialog, close }, bus) {
    const { signal } = bus;
    bus.on("help-requested", () => dialog.showModal());
    close.addEventListener("click", () => dialog.close(), { signal });
  }
}

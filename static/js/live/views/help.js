/** The list of keyboard shortcuts. */
export class HelpView {
  /**
   * @param {{dialog: HTMLDialogElement, close: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {AbortSignal} signal
   */
  constructor({ dialog, close }, bus, signal) {
    bus.on("help-requested", () => dialog.showModal(), { signal });
    close.addEventListener("click", () => dialog.close(), { signal });
  }
}

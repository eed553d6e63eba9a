/** Asks the host before something that cannot be undone. */
export class ConfirmView {
  #elements;
  #answer = (_isSure) => {};

  /**
   * @param {{dialog: HTMLDialogElement, title: HTMLElement, text: HTMLElement, yes:
   *   HTMLButtonElement, no: HTMLButtonElement}} elements
   * @param {AbortSignal} signal
   */
  constructor(elements, signal) {
    this.#elements = elements;
    const { dialog, yes, no } = elements;
    yes.addEventListener("click", () => dialog.close("yes"), { signal });
    no.addEventListener("click", () => dialog.close("no"), { signal });
    dialog.addEventListener("close", () => this.#answer(dialog.returnValue === "yes"), { signal });
  }

  /**
   * @param {{title: string, text: string, label: string}} question label: of the button that does
   *   it
   * @returns {Promise<boolean>}
   */
  ask({ title, text, label }) {
    const { dialog, yes, title: heading, text: body } = this.#elements;
    heading.textContent = title;
    body.textContent = text;
    yes.textContent = label;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((resolve) => (this.#answer = resolve));
  }
}

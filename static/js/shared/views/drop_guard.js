/**
 * Keeps the browser on the page when something is dropped beside its place: it would open the file
 * in the page's stead. Fields still take words, and places that take files say so after this.
 */
const TAKES_DROPS = "input, textarea, [contenteditable]";

export class DropGuardView {
  /** @param {Document} page @param {AbortSignal} signal */
  constructor(page, signal) {
    page.addEventListener("dragover", (event) => this.#refuse(event), { signal });
    page.addEventListener("drop", (event) => this.#refuse(event), { signal });
  }

  #refuse(event) {
    if (event.target?.closest?.(TAKES_DROPS)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
  }
}

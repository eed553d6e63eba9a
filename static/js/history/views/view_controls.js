/** Asks how the session is looked at: which face, as lines or stacked. */
export class ViewControlsView {
  #face;

  /**
   * @param {{face: HTMLSelectElement, modes: HTMLInputElement[]}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits face-changed {face}, null for
   *   all, and mode-changed {mode}
   */
  constructor({ face, modes }, bus) {
    const { signal } = bus;
    this.#face = face;
    const tell = () =>
      bus.emit("face-changed", { face: face.value === "" ? null : Number(face.value) });
    face.addEventListener("change", tell, { signal });
    for (const mode of modes)
      mode.addEventListener("change", () => bus.emit("mode-changed", { mode: mode.value }), {
        signal,
      });
    bus.on("session-changed", ({ session }) => this.#fill(session));
  }

  #fill({ face_list }) {
    const chosen = this.#face.value;
    const options = face_list.map(({ face }) => new Option(`Face ${face}`, String(face)));
    const all = new Option(
      face_list.length > 1 ? `All ${face_list.length} faces` : "All faces",
      "",
    );
    this.#face.replaceChildren(all, ...options);
    this.#face.value = options.some(({ value }) => value === chosen) ? chosen : "";
    this.#face.disabled = face_list.length < 2;
  }
}

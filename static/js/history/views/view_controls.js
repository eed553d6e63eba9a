import { t } from "../../shared/words.js";
import { peopleOf } from "../people.js";

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
    const people = peopleOf(face_list);
    const options = people.map(({ person, title }) => new Option(title, String(person)));
    const all = new Option(
      people.length > 1 ? t("All {count} faces", { count: people.length }) : t("All faces"),
      "",
    );
    this.#face.replaceChildren(all, ...options);
    this.#face.value = options.some(({ value }) => value === chosen) ? chosen : "";
    this.#face.disabled = people.length < 2;
  }
}

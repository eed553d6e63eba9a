/** Shows notes and tags of a session, and keeps them when the field is left. */
import { t } from "../../shared/words.js";

const SAVED_MS = 2500;

export class NotesView {
  #elements;
  #bus;
  #session = null;
  #timer = 0;

  /**
   * @param {{notes: HTMLTextAreaElement, saved: HTMLElement, tags: HTMLElement, tagForm:
   *   HTMLFormElement, tag: HTMLInputElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits update-requested {notes} or
   *   {tags}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    const { notes, tagForm, tag } = elements;
    notes.addEventListener("change", () => bus.emit("update-requested", { notes: notes.value }), {
      signal,
    });
    tagForm.addEventListener("submit", (event) => this.#add(event), { signal });
    tag.addEventListener("keydown", (event) => event.key === "," && this.#add(event), { signal });
    bus.on("session-changed", ({ session }) => this.#show(session));
    bus.on("session-saved", () => this.#tellSaved());
  }

  #show(session) {
    const { notes, tags } = this.#elements;
    // What is being typed is newer than what the server answered.
    if (document.activeElement !== notes) notes.value = session.notes;
    this.#session = session;
    tags.replaceChildren(...session.tags.map((name) => this.#tagItem(name)));
  }

  #tagItem(name) {
    const item = document.createElement("li");
    const remove = document.createElement("button");
    item.className = "tag";
    remove.type = "button";
    remove.className = "tag-remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", t("Remove the tag {name}", { name }));
    remove.addEventListener("click", () =>
      this.#setTags(this.#session.tags.filter((each) => each !== name)),
    );
    item.append(name, remove);
    return item;
  }

  #add(event) {
    event.preventDefault();
    const { tag } = this.#elements;
    const name = tag.value.trim();
    tag.value = "";
    if (name && !this.#session.tags.includes(name)) this.#setTags([...this.#session.tags, name]);
  }

  #setTags(tags) {
    this.#bus.emit("update-requested", { tags });
    this.#elements.tag.focus();
  }

  #tellSaved() {
    const { saved } = this.#elements;
    saved.textContent = t("Saved");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (saved.textContent = ""), SAVED_MS);
  }
}

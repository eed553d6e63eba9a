/** Shows the form for a key, and the key itself this one time. */
import { t } from "../../shared/words.js";

const COPIED_MS = 2500;

export class NewKeyView {
  #elements;
  #timer = 0;

  /**
   * @param {{form: HTMLFormElement, name: HTMLInputElement, create: HTMLButtonElement, box:
   *   HTMLElement, title: HTMLElement, text: HTMLElement, copy: HTMLButtonElement, copyLabel:
   *   HTMLElement, done: HTMLButtonElement, said: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits key-create-requested {name},
   *   key-copy-requested {text}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    const { form, name, create, text, copy, done } = elements;
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        create.disabled = true;
        bus.emit("key-create-requested", { name: name.value });
      },
      { signal },
    );
    copy.addEventListener(
      "click",
      () => bus.emit("key-copy-requested", { text: text.textContent }),
      { signal },
    );
    done.addEventListener("click", () => this.#hide(), { signal });
    bus.on("key-created", ({ key }) => this.#show(key));
    bus.on("keys-failed", () => (create.disabled = false));
    bus.on("key-copied", () => this.#tellCopied(true));
  }

  #show(key) {
    const { create, name, box, title, text } = this.#elements;
    create.disabled = false;
    name.value = "";
    title.textContent = t("The key “{name}”", { name: key.name });
    text.textContent = key.key;
    box.hidden = false;
    this.#tellCopied(false);
    box.focus();
  }

  #hide() {
    const { box, name, text } = this.#elements;
    text.textContent = "";
    box.hidden = true;
    name.focus();
  }

  #tellCopied(isCopied) {
    const { copyLabel, said } = this.#elements;
    copyLabel.textContent = isCopied ? t("Copied") : t("Copy");
    said.textContent = isCopied ? t("The key is copied.") : "";
    clearTimeout(this.#timer);
    if (isCopied) this.#timer = setTimeout(() => this.#tellCopied(false), COPIED_MS);
  }
}

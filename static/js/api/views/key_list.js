/** Shows the keys, one row each. */
import { fromTemplate } from "../../shared/template_parts.js";
import { language, t } from "../../shared/words.js";

export class KeyListView {
  #elements;
  #bus;

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement, none: HTMLElement, trouble:
   *   HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits key-revoke-requested {key}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("keys-changed", ({ keys }) => this.#show(keys));
    bus.on("key-created", () => this.#tell(""));
    bus.on("keys-failed", ({ text }) => this.#tell(text));
  }

  #show(keys) {
    const { list, none } = this.#elements;
    this.#tell("");
    none.hidden = keys.length > 0;
    list.replaceChildren(...keys.map((key) => this.#row(key)));
  }

  #tell(text) {
    const { trouble } = this.#elements;
    trouble.textContent = text;
    trouble.hidden = text === "";
  }

  #row(key) {
    const { element: row, part } = fromTemplate(this.#elements.template);
    part("name").textContent = key.name;
    part("facts").textContent = factsOf(key);
    part("state").hidden = key.revoked_at === null;
    part("revoke").hidden = key.revoked_at !== null;
    part("revoke").setAttribute("aria-label", t("Revoke {name}", { name: key.name }));
    part("revoke").addEventListener(
      "click",
      () => this.#bus.emit("key-revoke-requested", { key }),
      { signal: this.#bus.signal },
    );
    return row;
  }
}

function factsOf({ created_at: made, last_used_at: used, revoked_at: revoked }) {
  const use = used === null ? t("never used") : t("last used {time}", { time: shown(used) });
  return [
    t("Made {time}", { time: shown(made) }),
    use,
    revoked && t("revoked {time}", { time: shown(revoked) }),
  ]
    .filter(Boolean)
    .join(", ");
}

const shown = (iso) =>
  new Date(iso).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });

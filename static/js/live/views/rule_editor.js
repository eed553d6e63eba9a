/** Shows the rules of this page in the drawer of settings; each change counts at once. */
import { fromTemplate, partsOf } from "../../shared/template_parts.js";
import { t } from "../../shared/words.js";
import { EFFECTS, MAX_RULES, WHEN, fits, ruleTitle, whenName } from "../rule_texts.js";

export class RuleEditorView {
  #elements;
  #bus;
  #isAdded = false;

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement, add: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    const options = { signal: bus.signal };
    this.#elements = elements;
    this.#bus = bus;
    const { list, add } = elements;
    list.addEventListener("change", ({ target }) => this.#edit(target), options);
    list.addEventListener("click", ({ target }) => this.#remove(target), options);
    add.addEventListener("click", () => this.#add(), options);
    bus.on("rules-changed", (change) => this.#show(change));
  }

  #add() {
    this.#isAdded = true;
    this.#bus.emit("rule-added");
  }

  #edit(target) {
    const item = target.closest("li");
    const part = partsOf(item);
    const rule = {
      when: part("when").value,
      for_s: part("seconds").valueAsNumber,
      people: part("people").valueAsNumber,
      effects: EFFECTS.filter((effect) => part(effect).checked),
    };
    // A field that says nothing allowed shows so itself, and the rule stays as it was.
    const isWhole = fits(rule);
    part("problem").hidden = isWhole;
    if (isWhole) this.#bus.emit("rule-edited", { index: this.#indexOf(item), rule });
  }

  #remove(target) {
    if (!target.closest('[data-part="remove"]')) return;
    const index = this.#indexOf(target.closest("li"));
    this.#bus.emit("rule-removed", { index });
    const { list, add } = this.#elements;
    const next = list.children[Math.min(index, list.children.length - 1)];
    (next ? partsOf(next)("remove") : add).focus();
  }

  #indexOf(item) {
    return [...this.#elements.list.children].indexOf(item);
  }

  /** Rows stay while their number does, so that the one that is edited keeps its focus. */
  #show({ rules, canSend }) {
    const { list, add, template } = this.#elements;
    while (list.children.length > rules.length) list.lastElementChild.remove();
    while (list.children.length < rules.length) list.append(newRow(template));
    rules.forEach((rule, index) => fill(list.children[index], rule, canSend));
    add.disabled = rules.length >= MAX_RULES;
    if (!this.#isAdded) return;
    this.#isAdded = false;
    if (list.lastElementChild) partsOf(list.lastElementChild)("when").focus();
  }
}

function newRow(template) {
  const { element, part } = fromTemplate(template);
  part("when").append(...WHEN.map((when) => new Option(whenName(when), when)));
  return element;
}

function fill(row, rule, canSend) {
  const part = partsOf(row);
  const title = ruleTitle(rule);
  part("title").textContent = title;
  part("when").value = rule.when;
  if (part("seconds").valueAsNumber !== rule.for_s) part("seconds").value = String(rule.for_s);
  if (part("people").valueAsNumber !== rule.people) part("people").value = String(rule.people);
  part("people").disabled = rule.when === "nobody";
  for (const effect of EFFECTS) part(effect).checked = rule.effects.includes(effect);
  part("send").disabled = !canSend && !rule.effects.includes("send");
  part("problem").hidden = true;
  part("remove").setAttribute("aria-label", t("Remove the rule “{rule}”", { rule: title }));
}

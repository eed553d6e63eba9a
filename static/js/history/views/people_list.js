/** Shows who was there; names people, and says which faces are the same person. */
import { formatDuration } from "../../shared/format.js";
import { plural, t } from "../../shared/words.js";
import { personMarkElement } from "../../shared/person_mark.js";
import { fromTemplate } from "../../shared/template_parts.js";
import { faceTitle, peopleOf } from "../people.js";

/** More rows than anybody reads; those who were there longest are shown. */
const MAX_ROWS = 100;

export class PeopleListView {
  #elements;
  #bus;
  #faces = null;

  /**
   * @param {{list: HTMLElement, more: HTMLElement, template: HTMLTemplateElement, form:
   *   HTMLFormElement | null, from: HTMLSelectElement | null, into: HTMLSelectElement | null}}
   *   elements form, from and into: absent where a session can only be read
   * @param {import("../../shared/event_bus.js").EventBus} bus emits person-change-requested {face,
   *   changes}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("session-changed", ({ session }) => this.#show(session.face_list));
    const { form, from } = elements;
    if (!form) return;
    form.addEventListener("submit", (event) => this.#merge(event), { signal: bus.signal });
    from.addEventListener("change", () => this.#fillInto(), { signal: bus.signal });
  }

  #show(faces) {
    if (faces === this.#faces) return;
    this.#faces = faces;
    const { list, more, form } = this.#elements;
    const people = peopleOf(faces);
    const shown = longest(people);
    const focused = document.activeElement?.closest?.("[data-person]")?.getAttribute("data-person");
    list.replaceChildren(...shown.map((person) => this.#row(person)));
    list.querySelector(`[data-person="${focused}"] input`)?.focus({ preventScroll: true });
    more.hidden = people.length <= MAX_ROWS;
    more.textContent = plural(
      people.length - MAX_ROWS,
      "{count} more was there for a shorter time.",
      "{count} more were there for a shorter time.",
    );
    if (!form) return;
    form.hidden = people.length < 2;
    fill(this.#elements.from, shown);
    this.#elements.from.value = String(shown.at(-1)?.person ?? "");
    this.#fillInto();
  }

  #fillInto() {
    const { from, into } = this.#elements;
    const chosen = into.value;
    const others = longest(peopleOf(this.#faces)).filter(
      ({ person }) => String(person) !== from.value,
    );
    fill(into, others);
    if (others.some(({ person }) => String(person) === chosen)) into.value = chosen;
  }

  #row(person) {
    const { element: row, part } = fromTemplate(this.#elements.template);
    row.dataset.person = String(person.person);
    part("number").append(personMarkElement(person.person), String(person.person));
    part("facts").textContent = t("{from} to {to}, {samples}", {
      from: formatDuration(person.firstS),
      to: formatDuration(person.lastS),
      samples: plural(person.samples, "{count} sample", "{count} samples"),
    });
    const field = part("name");
    if (field instanceof HTMLInputElement) this.#listenToName(field, person);
    else field.textContent = person.title;
    const merged = person.faces.filter((face) => face !== person.person);
    part("merged").replaceChildren(...merged.map((face) => this.#mergedItem(face)));
    return row;
  }

  #listenToName(field, { person, name }) {
    field.value = name;
    field.placeholder = faceTitle(person);
    field.setAttribute("aria-label", t("Name of face {id}", { id: person }));
    field.addEventListener("change", () => this.#change(person, { name: field.value.trim() }));
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") field.value = name;
      if (["Enter", "Escape"].includes(event.key)) field.blur();
    });
  }

  #mergedItem(face) {
    const item = document.createElement("li");
    item.append(t("with face {id}", { id: face }));
    if (!this.#elements.form) return item;
    const apart = document.createElement("button");
    apart.type = "button";
    apart.className = "button is-small is-quiet";
    apart.textContent = t("Take apart");
    apart.setAttribute("aria-label", t("Take apart face {id}", { id: face }));
    apart.addEventListener("click", () => this.#change(face, { same_as: face }));
    item.append(apart);
    return item;
  }

  #merge(event) {
    event.preventDefault();
    const { from, into } = this.#elements;
    if (from.value && into.value) this.#change(Number(from.value), { same_as: Number(into.value) });
  }

  #change(face, changes) {
    this.#bus.emit("person-change-requested", { face, changes });
  }
}

/** Those who were there longest, by number. */
const longest = (people) =>
  [...people]
    .sort((a, b) => b.samples - a.samples)
    .slice(0, MAX_ROWS)
    .sort((a, b) => a.person - b.person);

function fill(select, people) {
  const title = ({ person, name }) => (name ? `${faceTitle(person)}, ${name}` : faceTitle(person));
  select.replaceChildren(...people.map((each) => new Option(title(each), String(each.person))));
}

/**
 * Shows which expression followed which, and how often: a table whose darker cells are the more
 * frequent ones.
 */
import { capitalise, emotionName } from "../../shared/format.js";
import { formatNumber, t } from "../../shared/words.js";
import { emotionColour } from "../../shared/palette.js";

export class TransitionsView {
  #elements;

  /**
   * @param {{table: HTMLTableElement, note: HTMLElement, none: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    bus.on("view-changed", ({ summary }) => this.#show(summary.transitions));
  }

  #show({ labels, counts, dwell_s }) {
    const { table, note, none } = this.#elements;
    const most = Math.max(0, ...counts.flat());
    table.hidden = most === 0;
    none.hidden = most > 0;
    note.textContent = t("An expression counts when it lasts at least {seconds} s.", {
      seconds: formatNumber(dwell_s),
    });
    table.tHead.replaceChildren(headRow(labels));
    table.tBodies[0].replaceChildren(
      ...labels.map((label, i) => bodyRow(label, counts[i], most, labels)),
    );
  }
}

function headRow(labels) {
  const row = document.createElement("tr");
  const corner = document.createElement("td");
  corner.textContent = t("From \\ to");
  row.append(corner, ...labels.map((label) => heading(label, "col")));
  return row;
}

function bodyRow(label, counts, most, labels) {
  const row = document.createElement("tr");
  row.append(heading(label, "row"), ...counts.map((count, i) => cell(count, most, labels[i])));
  return row;
}

function heading(label, scope) {
  const head = document.createElement("th");
  head.scope = scope;
  const text = document.createElement("span");
  const name = emotionName(label);
  text.textContent = scope === "col" ? capitalise(name).slice(0, 3) : capitalise(name);
  head.title = capitalise(name);
  if (scope === "col") head.setAttribute("aria-label", name);
  head.append(text);
  return head;
}

function cell(count, most, label) {
  const data = document.createElement("td");
  data.textContent = count === 0 ? "·" : formatNumber(count);
  data.classList.toggle("is-none", count === 0);
  data.style.setProperty("--emotion", emotionColour(label));
  data.style.setProperty("--strength", `${most === 0 ? 0 : Math.round((count / most) * 60)}%`);
  return data;
}

/** Shows the list of sessions, with its empty and failed states. */
import { plural, t } from "../../shared/words.js";
import { SessionRow } from "./session_row.js";

export class SessionListView {
  #elements;
  #bus;
  #rows = new Map();

  /**
   * @param {{list: HTMLElement, template: HTMLTemplateElement, count: HTMLElement, retention:
   *   HTMLElement, more: HTMLButtonElement, loading: HTMLElement, empty: HTMLElement, nothing:
   *   HTMLElement, failed: HTMLElement, failedText: HTMLElement, removeAll: HTMLButtonElement}}
   *   elements empty: nothing was recorded yet; nothing: nothing fits the filter
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    this.#elements = elements;
    this.#bus = bus;
    bus.on("list-changed", (state) => this.#show(state));
    bus.on("picks-changed", ({ ids, isFull }) => this.#showPicks(ids, isFull));
  }

  #show({ status, sessions, total, hasMore, isFiltered, retentionDays, problem }) {
    const { list, count, retention, more, loading, empty, nothing, failed, failedText, removeAll } =
      this.#elements;
    const isEmpty = status === "ready" && sessions.length === 0;
    list.setAttribute("aria-busy", String(status === "loading"));
    loading.hidden = status !== "loading" || sessions.length > 0;
    empty.hidden = !isEmpty || isFiltered;
    nothing.hidden = !isEmpty || !isFiltered;
    failed.hidden = status !== "failed";
    failedText.textContent = problem;
    more.hidden = !hasMore;
    removeAll.disabled = isEmpty && !isFiltered;
    if (status === "ready")
      count.textContent = plural(total, "{count} session", "{count} sessions");
    if (status === "ready") retention.textContent = describeRetention(retentionDays);
    this.#fill(sessions);
  }

  #fill(sessions) {
    const rows = new Map();
    const now = new Date();
    for (const session of sessions) {
      const row = this.#rows.get(session.id) ?? new SessionRow(this.#elements.template, this.#bus);
      row.show(session, now);
      rows.set(session.id, row);
    }
    const focused = this.#focusedIndex();
    this.#rows = rows;
    const elements = [...rows.values()].map((row) => row.element);
    const { list } = this.#elements;
    for (const child of [...list.children]) if (!elements.includes(child)) child.remove();
    elements.forEach(
      (element, i) =>
        list.children[i] === element || list.insertBefore(element, list.children[i] ?? null),
    );
    this.#keepFocus(focused, elements);
  }

  #focusedIndex() {
    return [...this.#elements.list.children].findIndex((child) =>
      child.contains(document.activeElement),
    );
  }

  /** The row with the focus was deleted: the keyboard goes on where it was. */
  #keepFocus(index, elements) {
    if (index < 0 || elements.some((element) => element.contains(document.activeElement))) return;
    const next = elements[Math.min(index, elements.length - 1)];
    next?.querySelector("a")?.focus({ preventScroll: true });
  }

  #showPicks(ids, isFull) {
    for (const [id, row] of this.#rows) row.showPick(ids.includes(id), isFull);
  }
}

/** @param {number | null} days */
export function describeRetention(days) {
  if (!days) return t("Sessions are kept until you delete them.");
  return plural(
    days,
    "Sessions are deleted {count} day after they were recorded.",
    "Sessions are deleted {count} days after they were recorded.",
  );
}

/** Shows which sessions are chosen to be compared. */
import { sitePath } from "../../shared/site_path.js";
import { t } from "../../shared/words.js";

const LEAST = 2;
const MOST = 4;

export class CompareBarView {
  #elements;
  #bus;
  #ids = [];

  /**
   * @param {{bar: HTMLElement, text: HTMLElement, link: HTMLAnchorElement, clear:
   *   HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits picks-changed {ids, isFull}
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    this.#bus = bus;
    bus.on("pick-changed", ({ id, isPicked }) => this.#pick(id, isPicked));
    bus.on("list-changed", ({ sessions }) => this.#keep(sessions));
    elements.clear.addEventListener("click", () => this.#set([]), { signal });
  }

  #pick(id, isPicked) {
    const others = this.#ids.filter((each) => each !== id);
    this.#set(isPicked ? [...others, id].slice(0, MOST) : others);
  }

  #keep(sessions) {
    this.#set(this.#ids.filter((id) => sessions.some((session) => session.id === id)));
  }

  #set(ids) {
    this.#ids = ids;
    const { bar, text, link } = this.#elements;
    const isReady = ids.length >= LEAST;
    bar.hidden = ids.length === 0;
    text.textContent = isReady
      ? t("{count} of up to {most} sessions chosen", { count: ids.length, most: MOST })
      : t("Choose one more to compare");
    link.hidden = !isReady;
    link.href = sitePath(`/compare?ids=${ids.map(encodeURIComponent).join(",")}`);
    this.#bus.emit("picks-changed", { ids, isFull: ids.length >= MOST });
  }
}

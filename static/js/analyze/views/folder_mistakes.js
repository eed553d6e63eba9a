/** Shows the pictures of the worst mistakes, from the folder itself. */
import { capitalise, emotionName, formatPercent } from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";
import { formatNumber, t } from "../../shared/words.js";

const FIRST = 12;

export class FolderMistakesView {
  #elements;
  #report = null;
  #files = new Map();
  #urls = [];

  /**
   * @param {{card: HTMLElement, list: HTMLElement, more: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    bus.on("folder-changed", (state) => this.#take(state));
    elements.more.addEventListener("click", () => this.#showAll(), { signal });
  }

  #take({ report, folder }) {
    if (report === this.#report) return;
    this.#report = report;
    this.#forget();
    if (!report) return;
    this.#files = new Map(folder.images.map(({ path, file }) => [path, file]));
    this.#elements.card.hidden = report.mistakes.length === 0;
    this.#show(FIRST);
  }

  #showAll() {
    this.#show(Infinity);
    this.#elements.list.children[FIRST]?.querySelector("img")?.scrollIntoView({ block: "nearest" });
  }

  #show(count) {
    const { list, more } = this.#elements;
    this.#forget();
    list.replaceChildren(
      ...this.#report.mistakes.slice(0, count).map((mistake) => this.#item(mistake)),
    );
    more.hidden = this.#report.mistakes.length <= count;
    more.textContent = t("Show all {count}", {
      count: formatNumber(this.#report.mistakes.length),
    });
  }

  #item({ file, expression, label, confidence }) {
    const item = document.createElement("li");
    const picture = document.createElement("img");
    const said = document.createElement("strong");
    const truth = document.createElement("span");
    picture.alt = t("{file}: labelled {expression}, taken for {label}", {
      file,
      expression: emotionName(expression),
      label: emotionName(label),
    });
    picture.title = file;
    picture.loading = "lazy";
    if (this.#files.has(file)) picture.src = this.#address(this.#files.get(file));
    said.append(swatch(label), `${capitalise(emotionName(label))} ${formatPercent(confidence)}`);
    truth.textContent = t("is {expression}", { expression: emotionName(expression) });
    item.className = "mistake";
    item.append(picture, said, truth);
    return item;
  }

  #address(file) {
    const url = URL.createObjectURL(file);
    this.#urls.push(url);
    return url;
  }

  #forget() {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }
}

function swatch(emotion) {
  const mark = document.createElement("span");
  mark.className = "swatch";
  mark.style.setProperty("--emotion", emotionColour(emotion));
  return mark;
}

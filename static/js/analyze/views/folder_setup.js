/** Shows a folder before and during its test: what is in it, how far the test is. */
import { capitalise, emotionName } from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";
import { formatNumber, plural, t } from "../../shared/words.js";
import { describeLeftOut, describeProgress } from "../folder_texts.js";

const RUNNING = ["running", "stopping"];

export class FolderSetupView {
  #elements;
  #status = "none";
  #folder = null;

  /**
   * @param {{section: HTMLElement, name: HTMLElement, counts: HTMLElement, apart: HTMLElement,
   *   problem: HTMLElement, plain: HTMLButtonElement, begin: HTMLElement, faces: HTMLSelectElement,
   *   start: HTMLButtonElement, startText: HTMLElement, running: HTMLElement, progress:
   *   HTMLElement, text: HTMLElement, stop: HTMLButtonElement, close: HTMLButtonElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits folder-start-requested {faces},
   *   folder-stop-requested, folder-close-requested, and files-added {files} for pictures without
   *   labels
   */
  constructor(elements, bus) {
    const { signal } = bus;
    this.#elements = elements;
    bus.on("folder-changed", (state) => this.#show(state));
    const { faces, start, stop, close, plain } = elements;
    plain.addEventListener("click", () => this.#showPlain(bus), { signal });
    start.addEventListener(
      "click",
      () => bus.emit("folder-start-requested", { faces: faces.value }),
      { signal },
    );
    stop.addEventListener("click", () => bus.emit("folder-stop-requested"), { signal });
    close.addEventListener("click", () => bus.emit("folder-close-requested"), { signal });
  }

  #show(state) {
    const { section, begin, start, startText, running, text, stop, problem } = this.#elements;
    const { status, folder } = state;
    section.hidden = status === "none";
    section.dataset.status = status;
    if (status !== this.#status && folder && status !== "stopping") this.#showFolder(folder);
    begin.hidden = !folder || folder.problem !== "" || RUNNING.includes(status);
    startText.textContent = status === "ready" ? t("Start the test") : t("Test again");
    running.hidden = !RUNNING.includes(status);
    stop.disabled = status === "stopping";
    problem.hidden = state.problem === "";
    problem.textContent = state.problem;
    text.textContent = describeProgress(state);
    this.#showProgress(state);
    if (status === "ready" && this.#status !== "ready" && !folder.problem)
      start.focus({ preventScroll: true });
    if (status === "running" && this.#status !== "running") stop.focus({ preventScroll: true });
    this.#status = status;
  }

  /** A folder without labels still has pictures to look at. */
  #showPlain(bus) {
    const { plain } = this.#folder;
    bus.emit("folder-close-requested");
    bus.emit("files-added", { files: plain });
  }

  #showFolder(folder) {
    const { name, counts, apart, plain } = this.#elements;
    this.#folder = folder;
    plain.hidden = folder.problem === "" || folder.plain.length === 0;
    plain.lastElementChild.textContent = plural(
      folder.plain.length,
      "Analyse its {count} picture without a test",
      "Analyse its {count} pictures without a test",
    );
    name.textContent = [
      folder.name,
      plural(folder.images.length, "{count} labelled picture", "{count} labelled pictures"),
    ]
      .filter(Boolean)
      .join(" · ");
    counts.replaceChildren(...folder.counts.map(countItem));
    apart.textContent = describeLeftOut(folder);
    apart.hidden = apart.textContent === "";
  }

  #showProgress({ sent, total }) {
    const { progress } = this.#elements;
    const share = total > 0 ? sent / total : 0;
    progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    progress.firstElementChild.style.setProperty("transform", `scaleX(${share})`);
  }
}

function countItem({ expression, count }) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  const number = document.createElement("strong");
  swatch.className = "swatch";
  swatch.style.setProperty("--emotion", emotionColour(expression));
  number.textContent = formatNumber(count);
  item.append(swatch, capitalise(emotionName(expression)), number);
  return item;
}

/**
 * Shows the report of a folder test: both accuracies, each expression, the confusion, what is
 * counted apart.
 */
import { capitalise, emotionName } from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";
import { serverText } from "../../shared/server_errors.js";
import { formatNumber, plural, t } from "../../shared/words.js";
import { describeApart, formatInterval, formatShare } from "../folder_texts.js";
import { headsDifference } from "../server_words.js";

const HEADS = [
  { key: "shown", name: t("Shown expression") },
  { key: "original", name: t("Original labels") },
];

export class FolderReportView {
  #elements;
  #emotions;
  #filePath;
  #report = null;
  #head = "shown";

  /**
   * @param {{report: HTMLElement, partial: HTMLElement, accuracy: HTMLElement, interval:
   *   HTMLElement, originalCard: HTMLElement, original: HTMLElement, originalInterval: HTMLElement,
   *   sure: HTMLElement, sureShare: HTMLElement, apart: HTMLElement, difference: HTMLElement,
   *   headSwitch: HTMLElement, classes: HTMLElement, confusion: HTMLElement, unreadable:
   *   HTMLDetailsElement, json: HTMLButtonElement, text: HTMLAnchorElement, plot:
   *   HTMLAnchorElement, mistakes: HTMLAnchorElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits report-download-requested
   * @param {{emotions: readonly string[], filePath: (id: string, part: string) => string}} deps
   *   emotions: in model order, as the confusion has them; filePath: of a test's files
   */
  constructor(elements, bus, { emotions, filePath }) {
    const { signal } = bus;
    this.#elements = elements;
    this.#emotions = emotions;
    this.#filePath = filePath;
    bus.on("folder-changed", (state) => this.#take(state));
    elements.json.addEventListener("click", () => bus.emit("report-download-requested"), {
      signal,
    });
    elements.headSwitch.append(...HEADS.map((head) => this.#headButton(head)));
  }

  #take(state) {
    const { report } = state;
    this.#elements.report.hidden = report === null;
    if (report === this.#report) return;
    this.#report = report;
    if (!report) return;
    this.#showFigures(report);
    this.#showApart(state);
    this.#showLinks(state);
    this.#showHead("shown");
    this.#elements.report.focus({ preventScroll: true });
  }

  #showFigures(report) {
    const {
      accuracy,
      interval,
      originalCard,
      original,
      originalInterval,
      sure,
      sureShare,
      difference,
    } = this.#elements;
    accuracy.textContent = formatShare(report.accuracy);
    interval.textContent = formatInterval(report.interval_95);
    originalCard.hidden = report.accuracy_original === null;
    original.textContent = formatShare(report.accuracy_original);
    originalInterval.textContent = formatInterval(report.interval_95_original);
    sure.textContent = formatShare(report.sure?.accuracy);
    sureShare.textContent = t("right, of the {share} that are not called unsure", {
      share: formatShare(report.sure?.share),
    });
    difference.textContent = capitalise(headsDifference(report.difference ?? ""));
  }

  #showApart({ report, unsent, isPartial, sent, total }) {
    const { apart, partial, unreadable } = this.#elements;
    apart.replaceChildren(...describeApart(report, unsent.length).map(textItem));
    partial.hidden = !isPartial;
    partial.textContent = plural(
      total,
      "The test was stopped after {sent} of {count} picture: the report is about these.",
      "The test was stopped after {sent} of {count} pictures: the report is about these.",
      { sent: formatNumber(sent) },
    );
    const lines = [
      ...report.unreadable.map(({ file, error }) => `${file}: ${serverText(error)}`),
      ...unsent.map(({ path, message }) => `${path}: ${message}`),
    ];
    unreadable.hidden = lines.length === 0;
    unreadable.querySelector("summary").textContent = plural(
      lines.length,
      "{count} picture could not be read or sent",
      "{count} pictures could not be read or sent",
    );
    unreadable.querySelector("ul").replaceChildren(...lines.map(textItem));
  }

  #showLinks({ id, report }) {
    const { text, plot, mistakes, headSwitch } = this.#elements;
    text.href = this.#filePath(id, "report.txt");
    plot.href = this.#filePath(id, "confusion.png");
    plot.hidden = report.scored === 0;
    mistakes.href = this.#filePath(id, "mistakes.jpg");
    mistakes.hidden = report.mistakes.length === 0;
    headSwitch.hidden = !report.original;
  }

  #headButton({ key, name }) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button is-small";
    button.setAttribute("role", "radio");
    button.dataset.head = key;
    button.textContent = name;
    button.addEventListener("click", () => this.#showHead(key));
    button.addEventListener("keydown", (event) => this.#press(event));
    return button;
  }

  #press(event) {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    this.#showHead(this.#head === "shown" ? "original" : "shown");
    this.#elements.headSwitch.querySelector('[aria-checked="true"]').focus();
  }

  #showHead(key) {
    this.#head = key;
    const { headSwitch, classes, confusion } = this.#elements;
    for (const button of headSwitch.children) {
      button.setAttribute("aria-checked", String(button.dataset.head === key));
      button.tabIndex = button.dataset.head === key ? 0 : -1;
    }
    const scores = this.#report[key];
    if (!scores) return;
    classes.replaceChildren(
      ...this.#emotions.map((name) => classRow(name, scores.classes[name])),
      averageRow(scores),
    );
    confusion.replaceChildren(
      confusionHead(this.#emotions),
      confusionBody(this.#emotions, scores.confusion),
    );
  }
}

function textItem(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}

function classRow(name, { precision, recall, f1, count }) {
  const row = tableRow(capitalise(emotionName(name)), [
    formatShare(precision),
    formatShare(recall),
    formatShare(f1),
    formatNumber(count),
  ]);
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  swatch.style.setProperty("--emotion", emotionColour(name));
  row.firstElementChild.prepend(swatch);
  return row;
}

function averageRow({ balanced_accuracy: recall, macro_f1: f1, count }) {
  const row = tableRow(t("Average of the seven"), [
    "",
    formatShare(recall),
    formatShare(f1),
    formatNumber(count),
  ]);
  row.className = "is-average";
  return row;
}

function tableRow(name, texts) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.append(name);
  row.append(
    head,
    ...texts.map((text) => Object.assign(document.createElement("td"), { textContent: text })),
  );
  return row;
}

function confusionHead(names) {
  const head = document.createElement("thead");
  const row = head.insertRow();
  row.insertCell().className = "confusion-corner";
  for (const name of names)
    row.append(
      Object.assign(document.createElement("th"), {
        scope: "col",
        textContent: capitalise(emotionName(name)),
      }),
    );
  return head;
}

function confusionBody(names, confusion) {
  const body = document.createElement("tbody");
  names.forEach((name, i) => {
    const total = confusion[i].reduce((sum, count) => sum + count, 0);
    const row = body.insertRow();
    row.append(
      Object.assign(document.createElement("th"), {
        scope: "row",
        textContent: capitalise(emotionName(name)),
      }),
    );
    confusion[i].forEach((count, j) =>
      fillCell(row.insertCell(), { count, share: total > 0 ? count / total : 0, isRight: i === j }),
    );
  });
  return body;
}

function fillCell(cell, { count, share, isRight }) {
  // A jump in the middle: neither dark nor light text can be read on what is half of a colour.
  const strength = share < 0.5 ? 90 * share : 80 + 40 * (share - 0.5);
  cell.style.setProperty("--strength", `${Math.round(strength)}%`);
  cell.classList.toggle("is-right", isRight);
  cell.classList.toggle("is-strong", share >= 0.5);
  cell.classList.toggle("is-none", count === 0);
  cell.textContent = count === 0 ? "0" : `${Math.round(100 * share)}`;
  cell.title = `${plural(count, "{count} picture", "{count} pictures")}, ${formatShare(share)}`;
}

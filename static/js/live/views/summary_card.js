/** Shows after Stop what the session held, and the way to it where it was recorded. */
import {
  capitalise,
  countFaces,
  emotionName,
  formatDuration,
  formatPercent,
} from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";
import { personMarkElement } from "../../shared/person_mark.js";
import { sitePath } from "../../shared/site_path.js";
import { UNSURE } from "../../shared/unsure.js";
import { t } from "../../shared/words.js";

export class SummaryCardView {
  #elements;
  #emotions;

  /**
   * @param {{section: HTMLElement, close: HTMLElement, facts: HTMLElement, table:
   *   HTMLTableElement, markers: HTMLElement, kept: HTMLElement, link: HTMLAnchorElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits summary-closed
   * @param {readonly string[]} emotions
   */
  constructor(elements, bus, emotions) {
    this.#elements = elements;
    this.#emotions = emotions;
    bus.on("story-ended", ({ story }) => this.#show(story));
    bus.on("session-changed", ({ state }) => state === "starting" && this.#hide());
    elements.close.addEventListener(
      "click",
      () => {
        this.#hide();
        bus.emit("summary-closed");
      },
      { signal: bus.signal },
    );
  }

  #hide() {
    this.#elements.section.hidden = true;
  }

  #show(story) {
    const { section, facts, kept, link, markers, table } = this.#elements;
    facts.replaceChildren(...factsOf(story).flatMap(([name, value]) => fact(name, value)));
    table.tHead.replaceChildren(this.#headRow());
    table.tBodies[0].replaceChildren(...story.people.map((person) => this.#row(person)));
    table.parentElement.hidden = story.people.length === 0;
    markers.replaceChildren(...story.markers.map(markerItem));
    markers.hidden = story.markers.length === 0;
    kept.textContent = story.session
      ? t("It was recorded: numbers, no pictures.")
      : t("It was not recorded: this summary is gone when the page is left.");
    link.hidden = !story.session;
    if (story.session) link.href = sitePath(`/history/${encodeURIComponent(story.session)}`);
    section.hidden = false;
  }

  #headRow() {
    const names = [
      t("Person"),
      t("In view"),
      ...this.#emotions.map((emotion) => capitalise(emotionName(emotion))),
      t("Unsure"),
    ];
    return rowOf(names.map((name) => cell("th", name, "col")));
  }

  #row({ id, name, seenS, shares }) {
    const who = cell("th", "", "row");
    if (id !== null) who.append(numberOf(id));
    who.append(name);
    const parts = [...this.#emotions, UNSURE].map((kind) => shareCell(kind, shares[kind]));
    return rowOf([who, cell("td", formatDuration(seenS)), ...parts]);
  }
}

const factsOf = (story) => [
  [t("Duration"), formatDuration(story.lengthS)],
  [t("People"), story.count === 0 ? t("nobody") : countFaces(story.count)],
  [t("Somebody in view"), formatPercent(story.presentShare)],
  [t("Markers"), String(story.markers.length)],
];

function fact(name, value) {
  const [group, term, text] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
  term.textContent = name;
  text.textContent = value;
  group.append(term, text);
  return [group];
}

function numberOf(id) {
  const number = document.createElement("span");
  number.className = "face-number";
  number.append(personMarkElement(id), String(id));
  return number;
}

/** Nothing at all is not the same as a little. */
function shareCell(kind, share) {
  const item = cell("td", share > 0 ? formatPercent(share) : "–");
  item.style.setProperty("--share", share.toFixed(3));
  if (kind !== UNSURE) item.style.setProperty("--emotion", emotionColour(kind));
  item.dataset.kind = kind;
  return item;
}

function markerItem({ atS, text }) {
  const item = document.createElement("li");
  item.textContent = text ? `${formatDuration(atS)} ${text}` : formatDuration(atS);
  return item;
}

function cell(tag, text, scope = "") {
  const item = document.createElement(tag);
  item.textContent = text;
  if (scope) item.setAttribute("scope", scope);
  return item;
}

function rowOf(cells) {
  const row = document.createElement("tr");
  row.append(...cells);
  return row;
}

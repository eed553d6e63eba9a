/** Shows under the stage what each person showed: in the last minute, or since the start. */
import { describeStrip, drawStrip } from "../../history/strip.js";
import { setText } from "../../shared/emotion_bar.js";
import { formatDuration } from "../../shared/format.js";
import { personMarkElement } from "../../shared/person_mark.js";
import { fromTemplate } from "../../shared/template_parts.js";
import { t } from "../../shared/words.js";

export class LiveTimelineView {
  #elements;
  /** @type {Map<string, {element: HTMLElement, part: (name: string) => any}>} */
  #lanes = new Map();
  #markersText = "";

  /**
   * @param {{section: HTMLElement, ranges: HTMLInputElement[], lanes: HTMLElement, template:
   *   HTMLTemplateElement, nobody: HTMLElement, markers: HTMLElement, from: HTMLElement, to:
   *   HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus emits timeline-range-requested {range}
   */
  constructor(elements, bus) {
    this.#elements = elements;
    for (const radio of elements.ranges)
      radio.addEventListener(
        "change",
        () => bus.emit("timeline-range-requested", { range: radio.value }),
        { signal: bus.signal },
      );
    bus.on("timeline-changed", (timeline) => this.#show(timeline));
    bus.on("summary-closed", () => (elements.section.hidden = true));
    bus.on("session-changed", ({ state }) => state === "starting" && this.#hide());
  }

  #hide() {
    this.#elements.section.hidden = true;
  }

  #show({ range, lanes, markers, lengthS, isOver }) {
    const { section, ranges, nobody, from, to } = this.#elements;
    section.hidden = false;
    for (const radio of ranges) {
      radio.checked = radio.value === range;
      radio.disabled = isOver && radio.value === "minute";
    }
    this.#showLanes(lanes);
    nobody.hidden = lanes.length > 0;
    this.#showMarkers(markers);
    setText(from, range === "minute" ? t("60 s ago") : "0:00");
    setText(
      to,
      isOver ? formatDuration(lengthS) : t("now, {time}", { time: formatDuration(lengthS) }),
    );
  }

  #showLanes(lanes) {
    const keys = new Set(lanes.map(({ key }) => key));
    for (const [key, { element }] of this.#lanes) {
      if (keys.has(key)) continue;
      element.remove();
      this.#lanes.delete(key);
    }
    for (const lane of lanes) this.#showLane(lane);
  }

  #showLane({ key, id, name, cells }) {
    const { part } = this.#lanes.get(key) ?? this.#newLane(key, id);
    const says = describeStrip(cells);
    drawStrip(part("strip"), cells);
    setText(part("name"), name);
    part("name").title = name;
    const label = `${name}: ${says}`;
    if (part("strip").getAttribute("aria-label") !== label)
      part("strip").setAttribute("aria-label", label);
  }

  #newLane(key, id) {
    const lane = fromTemplate(this.#elements.template);
    if (id === null) lane.part("number").remove();
    else lane.part("number").append(personMarkElement(id), String(id));
    this.#lanes.set(key, lane);
    this.#elements.lanes.append(lane.element);
    return lane;
  }

  /** Few and seldom new; only their places move. */
  #showMarkers(markers) {
    const { markers: list } = this.#elements;
    const text = JSON.stringify(markers.map(({ number, text: says }) => [number, says]));
    if (text !== this.#markersText) list.replaceChildren(...markers.map(markerItem));
    this.#markersText = text;
    list.hidden = markers.length === 0;
    markers.forEach(({ place }, i) => list.children[i].style.setProperty("--place", String(place)));
  }
}

function markerItem({ number, text }) {
  const item = document.createElement("li");
  const words = document.createElement("span");
  item.append(String(number), words);
  item.title = text || t("Marker {number}", { number });
  words.className = "visually-hidden";
  words.textContent = text ? `: ${text}` : "";
  return item;
}

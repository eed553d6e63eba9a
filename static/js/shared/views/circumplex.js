/**
 * Shows where each face is on the circumplex of valence and arousal, with its way of the last ten
 * seconds, and the mood of all.
 */
import { setText } from "../emotion_bar.js";
import { describeCircumplex, describeMood } from "../affect_texts.js";
import { emotionColour } from "../palette.js";
import { drawPersonMark } from "../person_mark.js";
import { t } from "../words.js";

/** So many have their numbers beside their marks; of more only the one that is pointed at. */
const NUMBERED_UP_TO = 4;
/** The words for screen readers change less often than the picture. */
const WORDS_EVERY_MS = 2000;
/** Who wants less motion sees a place a second, without the way to it. */
const CALM_EVERY_MS = 1000;
const MARK_PX = 6.5;

export class CircumplexView {
  #elements;
  #now;
  #show = [];
  #people = [];
  #names = new Map();
  #pointedId = null;
  #drawnMs = -Infinity;
  #wordsMs = -Infinity;
  /** Of whom the words speak. */
  #said = "";
  #wantsCalm = matchMedia("(prefers-reduced-motion: reduce)");

  /**
   * @param {{card: HTMLElement, canvas: HTMLCanvasElement, mood: HTMLElement}} elements
   * @param {import("../event_bus.js").EventBus} bus
   * @param {() => number} now milliseconds
   */
  constructor(elements, bus, now) {
    this.#elements = elements;
    this.#now = now;
    bus.on("show-changed", ({ show }) => this.#choose(show));
    bus.on("affect-changed", (affect) => this.#take(affect));
    bus.on("names-changed", ({ names }) => (this.#names = names));
    bus.on("face-pointed", ({ id }) => {
      this.#pointedId = id;
      this.#draw();
    });
  }

  #choose(show) {
    this.#show = show;
    this.#elements.card.hidden = !show.includes("affect");
    if (!show.includes("mood")) this.#elements.mood.hidden = true;
    this.#drawnMs = -Infinity;
    this.#draw();
  }

  #take({ people, all }) {
    const isSameCast =
      people.length === this.#people.length &&
      people.every(({ id }, i) => id === this.#people[i].id);
    this.#people = people;
    this.#showMood(people.length, all);
    const nowMs = this.#now();
    const isDue = !this.#wantsCalm.matches || nowMs - this.#drawnMs >= CALM_EVERY_MS;
    if (isDue || !isSameCast) this.#draw();
  }

  /** Of one person the card says it. */
  #showMood(count, all) {
    const { mood } = this.#elements;
    mood.hidden = !this.#show.includes("mood") || count < 2 || all === null;
    if (!mood.hidden) setText(mood, t("All, last 10 s: {mood}", { mood: describeMood(all) }));
  }

  #draw() {
    if (this.#elements.card.hidden) return;
    const nowMs = (this.#drawnMs = this.#now());
    const { canvas } = this.#elements;
    const scale = Math.min(2, devicePixelRatio || 1);
    const size = canvas.clientWidth;
    if (canvas.width !== Math.round(size * scale))
      canvas.width = canvas.height = Math.round(size * scale);
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, size, size);
    this.#paint(context, size);
    const cast = this.#people.map(({ id }) => id).join();
    if (nowMs - this.#wordsMs < WORDS_EVERY_MS && cast === this.#said) return;
    [this.#wordsMs, this.#said] = [nowMs, cast];
    canvas.setAttribute("aria-label", describeCircumplex(this.#people, this.#names));
  }

  #paint(context, size) {
    const style = getComputedStyle(this.#elements.canvas);
    const [ink, line] = [style.color, style.borderTopColor];
    const radius = size / 2 - MARK_PX - 2;
    /** @returns {[number, number]} */
    const place = ({ valence, arousal }) => [
      size / 2 + valence * radius,
      size / 2 - arousal * radius,
    ];
    drawAxes(context, size / 2, radius, line);
    const isKnown = this.#people.some(({ id }) => id === this.#pointedId);
    for (const person of this.#people) {
      const isPointed = person.id === this.#pointedId;
      context.globalAlpha = isKnown && !isPointed ? 0.3 : 1;
      const hasNumber = isPointed || (!isKnown && this.#people.length <= NUMBERED_UP_TO);
      const colour = person.sure ? emotionColour(person.label) : ink;
      if (!this.#wantsCalm.matches) drawTrail(context, person.trail.map(place), colour);
      drawPerson(context, person.id, place(person.affect), { colour, ink, hasNumber });
    }
    context.globalAlpha = 1;
  }
}

function drawAxes(context, middle, radius, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.arc(middle, middle, radius, 0, 2 * Math.PI);
  context.moveTo(middle - radius, middle);
  context.lineTo(middle + radius, middle);
  context.moveTo(middle, middle - radius);
  context.lineTo(middle, middle + radius);
  context.stroke();
}

/** Older parts are fainter. */
function drawTrail(context, places, colour) {
  const { globalAlpha } = context;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.lineCap = "round";
  places.slice(1).forEach(([x, y], i) => {
    context.globalAlpha = (globalAlpha * (i + 1)) / (places.length - 1) / 1.5;
    context.beginPath();
    context.moveTo(...places[i]);
    context.lineTo(x, y);
    context.stroke();
  });
  context.globalAlpha = globalAlpha;
}

function drawPerson(context, id, [x, y], { colour, ink, hasNumber }) {
  // A rim tells the mark from the ground in either theme.
  context.fillStyle = ink;
  drawPersonMark(context, id, { x, y, radius: MARK_PX + 1.5 });
  context.fillStyle = colour;
  drawPersonMark(context, id, { x, y, radius: MARK_PX });
  if (!hasNumber) return;
  context.fillStyle = ink;
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillText(String(id), x + MARK_PX + 4, y);
}

/**
 * Follows each face through the last ten seconds: its place on the circumplex, its intensity, its
 * mood, and since when its label is shown.
 *
 * Emits, at most four times a second: affect-changed {people, all}.
 *
 * @typedef {object} Mood of the last ten seconds
 * @property {string} label the expression with the highest mean
 * @property {number} share that mean, 0-1
 *
 * @typedef {object} PersonAffect a face in view
 * @property {number} id
 * @property {string} label
 * @property {boolean} sure
 * @property {import("./affect.js").Affect} affect
 * @property {number} intensity 0-1
 * @property {readonly import("./affect.js").Affect[]} trail of the last ten seconds, oldest first
 * @property {Mood | null} mood null until enough was seen
 * @property {number} sinceS how long the label is shown
 */
import { affectOf, intensityOf } from "./affect.js";
import { UNSURE } from "./unsure.js";

const SPAN_MS = 10_000;
const STEP_MS = 250;
/** A mood of less time says no more than the label. */
const LEAST_MS = 2000;
/** A face that was missed in a few frames is still there. */
const KEEP_MS = 1200;

export class Moods {
  #deps;
  /** @type {Map<number, Course>} */
  #courses = new Map();
  #toldMs = -Infinity;

  /**
   * @param {object} deps
   * @param {import("./event_bus.js").EventBus} deps.bus
   * @param {() => number} deps.now milliseconds
   * @param {readonly string[]} deps.emotions
   */
  constructor(deps) {
    this.#deps = deps;
    deps.bus.on("result", ({ faces }) => this.#take(faces));
    deps.bus.on("session-changed", () => this.#forget());
    // With a new connection numbers begin anew.
    deps.bus.on("connection-changed", ({ state }) => state !== "connected" && this.#forget());
  }

  #forget() {
    this.#courses.clear();
    this.#tell(this.#deps.now());
  }

  #take(faces) {
    const nowMs = this.#deps.now();
    for (const face of faces) {
      if (!this.#courses.has(face.id)) this.#courses.set(face.id, new Course());
      this.#courses.get(face.id).add(face, nowMs);
    }
    if (nowMs - this.#toldMs >= STEP_MS) this.#tell(nowMs);
  }

  #tell(nowMs) {
    this.#toldMs = nowMs;
    for (const [id, course] of this.#courses) {
      course.forgetBefore(nowMs - SPAN_MS);
      if (course.steps.length === 0) this.#courses.delete(id);
    }
    const people = [...this.#courses]
      .filter(([, { seenMs }]) => nowMs - seenMs <= KEEP_MS)
      .sort(([a], [b]) => a - b)
      .map(([id, course]) => this.#person(id, course, nowMs));
    const all = this.#mood([...this.#courses.values()].flatMap(({ steps }) => steps));
    this.#deps.bus.emit("affect-changed", { people, all });
  }

  /** @returns {PersonAffect} */
  #person(id, course, nowMs) {
    const { label, sure, scores } = course.face;
    return {
      id,
      label,
      sure,
      affect: affectOf(scores),
      intensity: intensityOf(scores),
      trail: course.steps.map(({ means }) => affectOf(means)),
      mood: this.#mood(course.steps),
      sinceS: (nowMs - course.sinceMs) / 1000,
    };
  }

  /** @returns {Mood | null} */
  #mood(steps) {
    const times = steps.map(({ atMs }) => atMs);
    if (steps.length === 0 || Math.max(...times) - Math.min(...times) < LEAST_MS) return null;
    const mean = (emotion) =>
      steps.reduce((sum, { means }) => sum + means[emotion], 0) / steps.length;
    const [label, share] = this.#deps.emotions
      .map((emotion) => /** @type {[string, number]} */ ([emotion, mean(emotion)]))
      .reduce((best, each) => (each[1] > best[1] ? each : best));
    return { label, share };
  }
}

/** One face. */
class Course {
  /** @type {{step: number, atMs: number, count: number, means: Record<string, number>}[]} */
  steps = [];
  face;
  seenMs = 0;
  sinceMs = 0;
  #shown = "";

  add(face, nowMs) {
    const shown = face.sure ? face.label : UNSURE;
    if (shown !== this.#shown) [this.#shown, this.sinceMs] = [shown, nowMs];
    [this.face, this.seenMs] = [face, nowMs];
    const step = Math.floor(nowMs / STEP_MS);
    const last = this.steps.at(-1);
    if (last?.step === step) mix(last, face.scores);
    else this.steps.push({ step, atMs: nowMs, count: 1, means: { ...face.scores } });
  }

  forgetBefore(ms) {
    while (this.steps.length > 0 && this.steps[0].atMs < ms) this.steps.shift();
  }
}

function mix(step, scores) {
  step.count += 1;
  for (const [emotion, score] of Object.entries(scores))
    step.means[emotion] += (score - step.means[emotion]) / step.count;
}

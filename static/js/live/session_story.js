/**
 * Remembers what happened since Start, recorded or not: for the timeline under the stage, and for
 * the summary after Stop.
 *
 * Emits: timeline-changed {range, lanes, markers, lengthS, isOver}; story-ended {story}.
 *
 * @typedef {object} TimelineLane
 * @property {string} key
 * @property {number | null} id the face's number; null for the others together
 * @property {string} name what the person is called, or the number in words
 * @property {(string | null)[]} cells oldest first; null where nobody was there
 *
 * @typedef {object} Story
 * @property {number} lengthS
 * @property {number} presentShare part of it with a face in view, 0-1
 * @property {(TimelineLane & {seenS: number, shares: Record<string, number>})[]} people
 * @property {number} count how many people
 * @property {{atS: number, text: string}[]} markers
 * @property {string | null} session the recording; null where nothing was kept
 */
import { OTHERS, TimelineLanes } from "../shared/timeline_lanes.js";
import { Trend } from "../shared/trend.js";
import { UNSURE } from "../shared/unsure.js";
import { t } from "../shared/words.js";

const MINUTE_STEPS = 240;
/** A face that no result showed for so long is away. */
const FRESH_MS = 1000;
const MAX_MARKERS = 200;

export class SessionStory {
  #deps;
  #isLive = false;
  #range = "minute";
  #startedMs = 0;
  #lanes;
  /** The last minute of each face. @type {Map<string, Trend<string>>} */
  #minutes = new Map();
  #newest = { atMs: -Infinity, faces: [] };
  #markers = [];
  #names = new Map();
  #session = null;
  /** Grows with each connection, because numbers begin anew. */
  #epoch = 0;

  /**
   * @param {object} deps
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {() => number} deps.now milliseconds
   * @param {readonly string[]} deps.emotions
   */
  constructor(deps) {
    const { bus } = (this.#deps = deps);
    this.#lanes = new TimelineLanes(deps.emotions);
    bus.on("session-changed", ({ state }) => this.#follow(state));
    bus.on("connection-changed", ({ state }) => state !== "connected" && this.#separate());
    bus.on("result", ({ faces }) => this.#take(faces));
    bus.on("names-changed", ({ names }) => this.#isLive && this.#name(names));
    bus.on("marker-added", ({ marker }) => this.#mark(marker));
    bus.on("marker-placed", ({ marker }) => this.#isLive && this.#mark(marker));
    bus.on("recording-changed", ({ session }) => this.#isLive && this.#record(session));
    bus.on("timeline-range-requested", ({ range }) => this.#show(range));
  }

  /** Time passed; called a few times a second. */
  tick() {
    if (!this.#isLive) return;
    const nowMs = this.#deps.now();
    const isFresh = nowMs - this.#newest.atMs < FRESH_MS;
    const shown = new Map(isFresh ? this.#newest.faces.map((face) => [face.key, face]) : []);
    for (const key of shown.keys())
      if (!this.#minutes.has(key)) this.#minutes.set(key, new Trend());
    for (const [key, trend] of this.#minutes) {
      trend.add(shownOf(shown.get(key)), nowMs);
      if (trend.entries.every((entry) => entry === null)) this.#minutes.delete(key);
    }
    if (!isFresh) this.#lanes.add([], nowMs - this.#startedMs);
    this.#tell();
  }

  #follow(state) {
    if (state === "live") this.#begin();
    else if (this.#isLive) this.#end();
  }

  #begin() {
    this.#isLive = true;
    this.#startedMs = this.#deps.now();
    this.#lanes = new TimelineLanes(this.#deps.emotions);
    this.#minutes = new Map();
    this.#newest = { atMs: -Infinity, faces: [] };
    [this.#markers, this.#session, this.#epoch] = [[], null, 0];
    this.#names = new Map();
    this.#tell();
  }

  #end() {
    this.#lanes.add([], this.#deps.now() - this.#startedMs);
    this.#isLive = false;
    this.#range = "session";
    this.#tell();
    this.#deps.bus.emit("story-ended", { story: this.#story() });
  }

  #separate() {
    if (this.#newest.faces.length === 0 && this.#names.size === 0) return;
    this.#epoch += 1;
    this.#newest = { atMs: -Infinity, faces: [] };
  }

  #take(faces) {
    if (!this.#isLive) return;
    const atMs = this.#deps.now();
    const keyed = faces.map((face) => ({ ...face, key: `${this.#epoch}.${face.id}` }));
    this.#newest = { atMs, faces: keyed };
    this.#lanes.add(keyed, atMs - this.#startedMs);
  }

  #name(names) {
    const now = `${this.#epoch}.`;
    for (const key of this.#names.keys()) if (key.startsWith(now)) this.#names.delete(key);
    for (const [id, name] of names) this.#names.set(`${now}${id}`, name);
    this.#tell();
  }

  #mark(marker) {
    if (this.#markers.length === MAX_MARKERS) return;
    this.#markers.push({ atMs: this.#deps.now() - this.#startedMs, marker });
  }

  #record(session) {
    this.#session = session ?? this.#session;
  }

  #show(range) {
    this.#range = range;
    this.#tell();
  }

  #tell() {
    const lengthMs = this.#isLive ? this.#deps.now() - this.#startedMs : this.#lanes.lengthMs;
    const fromMs = this.#range === "minute" ? lengthMs - 60_000 : 0;
    const place = (atMs) => (atMs - fromMs) / Math.max(1, lengthMs - fromMs);
    this.#deps.bus.emit("timeline-changed", {
      range: this.#range,
      lanes: this.#range === "minute" ? this.#minuteLanes() : this.#lanes.read().map(this.#lane),
      markers: this.#markers
        .map(({ atMs, marker }, i) => ({ place: place(atMs), number: i + 1, text: marker.text }))
        .filter((each) => each.place >= 0),
      lengthS: lengthMs / 1000,
      isOver: !this.#isLive,
    });
  }

  #minuteLanes() {
    return [...this.#minutes].map(([key, { entries }]) =>
      this.#lane({ key, cells: [...Array(MINUTE_STEPS - entries.length).fill(null), ...entries] }),
    );
  }

  #lane = (lane) => {
    if (lane.key === OTHERS)
      return {
        ...lane,
        id: null,
        name: t("{count} others, briefly", { count: this.#lanes.folded }),
      };
    const [epoch, id] = lane.key.split(".").map(Number);
    const unnamed =
      epoch === this.#epoch ? t("Face {id}", { id }) : t("Face {id}, earlier connection", { id });
    return { ...lane, id, name: this.#names.get(lane.key) ?? unnamed };
  };

  /** @returns {Story} */
  #story() {
    const lanes = this.#lanes.read();
    const { lengthMs, presentMs, folded } = this.#lanes;
    return {
      lengthS: lengthMs / 1000,
      presentShare: lengthMs > 0 ? presentMs / lengthMs : 0,
      people: lanes.map((lane) => ({ ...this.#lane(lane), seenS: lane.ms / 1000 })),
      count: lanes.filter(({ key }) => key !== OTHERS).length + folded,
      markers: this.#markers.map(({ atMs, marker }) => ({ atS: atMs / 1000, text: marker.text })),
      session: this.#session,
    };
  }
}

/** @returns {string | null} a label, "unsure", or null where nobody is */
function shownOf(face) {
  if (!face) return null;
  return face.sure ? face.label : UNSURE;
}

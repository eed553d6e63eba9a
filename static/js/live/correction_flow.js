/**
 * Leads one person through a correction: three seconds of the resting face, or a check of all
 * expressions. Time passes only while the person is in view.
 *
 * Emits correction-changed, see CorrectionState.
 *
 * @typedef {object} CorrectionState
 * @property {"closed" | "menu" | "ready" | "taking" | "judging" | "result" | "problem"} step
 * @property {"resting" | "check" | null} kind
 * @property {number | null} faceId the person's number
 * @property {number[]} faces numbers of all who are in view
 * @property {boolean} isInView whether the person is
 * @property {boolean} isStalled no results come, so nobody knows
 * @property {string | null} expression that is asked for
 * @property {number} number of this expression, from 1
 * @property {number} count of expressions
 * @property {number} leftS whole seconds until this step ends
 * @property {number} share of this step that has passed, 0-1
 * @property {import("../shared/protocol.js").Learned | null} result
 * @property {boolean} isUsed whether the result's correction counts
 * @property {string} problem in the server's words
 * @property {"resting" | "check" | null} corrected how this person is corrected now
 * @property {boolean} isKept whether this browser keeps the numbers
 * @property {"resting" | "check" | null} earlier numbers of before that may be used again
 */
import { parseCorrectAck, parseLearnAck, parseTakeAck } from "../shared/protocol.js";

/** The easiest to show come first, and the resting face before all. */
export const ASKED = Object.freeze([
  "neutral",
  "happy",
  "surprise",
  "sad",
  "angry",
  "disgust",
  "fear",
]);
export const ASKED_FOR_MS = 3000;
/** A gap between two results that is longer tells nothing about what was seen meanwhile. */
const LONGEST_GAP_MS = 1000;
/** On a slow server a take lasts longer: it wants 12, and one or two may have come before it began. */
const FEWEST_VIEWS = 14;
const STALLED_MS = 1500;

export class CorrectionFlow {
  #deps;
  /** @type {CorrectionState["step"]} */
  #step = "closed";
  #kind = null;
  #faceId = null;
  #faces = [];
  #index = 0;
  #spentMs = 0;
  #views = 0;
  /** Capture time of the last result with the person in it. */
  #seenMs = null;
  #resultMs = 0;
  #isStalled = false;
  #result = null;
  #problem = "";
  /** What came of an older run is nobody's any more. */
  #run = 0;
  /** @type {Map<number, import("./kept_offsets.js").Kept>} */
  #corrected = new Map();
  /** The last numbers of this page, for a person who comes back under another number. */
  #last = null;

  /**
   * @param {object} deps
   * @param {{ask: (event: string, payload: object) => Promise<unknown>}} deps.socket
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {import("./kept_offsets.js").KeptOffsets} deps.kept
   * @param {readonly string[]} deps.emotions
   * @param {() => number} deps.now milliseconds
   */
  constructor(deps) {
    const { bus } = (this.#deps = deps);
    bus.on("result", (answer) => this.#see(answer));
    bus.on("statistics", () => this.#watch());
    bus.on("session-changed", ({ state }) => state !== "live" && this.#end());
    // With a new connection numbers begin anew, and the server has forgotten all corrections.
    bus.on("connection-changed", ({ state }) => state !== "connected" && this.#end());
  }

  /** @returns {CorrectionState} */
  get state() {
    const asked = this.#asked();
    const isTimed = this.#step === "ready" || this.#step === "taking";
    const stored = this.#deps.kept.read();
    const used = this.#corrected.get(this.#faceId) ?? null;
    return {
      step: this.#step,
      kind: this.#kind,
      faceId: this.#faceId,
      faces: [...this.#faces],
      isInView: this.#faces.includes(this.#faceId),
      isStalled: this.#isStalled,
      expression: isTimed || this.#step === "judging" ? asked[this.#index] : null,
      number: this.#index + 1,
      count: asked.length,
      leftS: Math.max(1, Math.ceil((ASKED_FOR_MS - this.#spentMs) / 1000)),
      share: this.#share(),
      result: this.#result,
      isUsed: used !== null && used.offsets === this.#result?.offsets,
      problem: this.#problem,
      corrected: used?.kind ?? null,
      isKept: stored !== null,
      earlier: used ? null : ((stored ?? this.#last)?.kind ?? null),
    };
  }

  /** @param {number | null} faceId null: the first in view */
  open(faceId) {
    this.#leave();
    this.#faceId = faceId ?? this.#faces[0] ?? null;
    this.#become("menu");
  }

  close() {
    this.#leave();
    this.#become("closed");
  }

  /** Back to the menu; what was taken so far is forgotten. */
  cancel() {
    this.#leave();
    this.#become("menu");
  }

  /** @param {number} faceId */
  choose(faceId) {
    this.#faceId = faceId;
    this.#become("menu");
  }

  /** @param {"resting" | "check"} kind */
  begin(kind) {
    if (this.#faceId === null) return;
    this.#leave();
    this.#kind = kind;
    this.#result = null;
    this.#index = 0;
    this.#wait("ready");
  }

  /** Goes on with the next expression; views of this one are forgotten. */
  skip() {
    if (this.#kind !== "check" || !["ready", "taking"].includes(this.#step)) return;
    const isTaking = this.#step === "taking";
    this.#try(async () => {
      if (isTaking) await this.#take(ASKED[this.#index]);
      await this.#take(null);
      return () => this.#next();
    });
  }

  /** The correction of the result counts from now on. */
  use() {
    if (this.#result?.offsets) this.#correct({ kind: this.#kind, offsets: this.#result.offsets });
  }

  useEarlier() {
    const earlier = this.#deps.kept.read() ?? this.#last;
    if (earlier) this.#correct(earlier);
  }

  remove() {
    this.#correct(null);
  }

  /** @param {boolean} isWanted whether this browser keeps the numbers that count for this person */
  keep(isWanted) {
    const used = this.#corrected.get(this.#faceId);
    if (isWanted && used) this.#deps.kept.write(used);
    if (!isWanted) this.#deps.kept.forget();
    this.#tell();
  }

  /** Also what this page remembers of persons who were corrected before. */
  forgetEarlier() {
    this.#last = null;
    this.keep(false);
  }

  #asked() {
    return this.#kind === "check" ? ASKED : ASKED.slice(0, 1);
  }

  #see({ faces, capturedMs }) {
    const [wasInView, before] = [this.#faces.includes(this.#faceId), this.#faces.join()];
    this.#faces = faces.map(({ id }) => id);
    this.#resultMs = this.#deps.now();
    this.#isStalled = false;
    if (this.#step === "ready" || this.#step === "taking") this.#pass(wasInView, capturedMs);
    else if (this.#step !== "closed" && this.#faces.join() !== before) this.#tell();
  }

  /** @returns {number} how much of this step has passed, 0-1 */
  #share() {
    const ofTime = this.#spentMs / ASKED_FOR_MS;
    const ofViews = this.#step === "taking" ? this.#views / FEWEST_VIEWS : 1;
    return Math.min(1, ofTime, ofViews);
  }

  #pass(wasInView, capturedMs) {
    const isInView = this.#faces.includes(this.#faceId);
    if (isInView && wasInView && this.#seenMs !== null) {
      const gapMs = Math.max(0, capturedMs - this.#seenMs);
      this.#spentMs += Math.min(LONGEST_GAP_MS, gapMs);
    }
    this.#seenMs = isInView ? capturedMs : null;
    this.#views += isInView ? 1 : 0;
    if (this.#share() < 1) return this.#tell();
    return this.#step === "ready" ? this.#beginTake() : this.#endTake();
  }

  #watch() {
    const isRunning = this.#step === "ready" || this.#step === "taking";
    if (!isRunning || this.#isStalled || this.#deps.now() - this.#resultMs < STALLED_MS) return;
    this.#isStalled = true;
    this.#seenMs = null;
    this.#tell();
  }

  #beginTake() {
    this.#try(async () => {
      await this.#take(this.#asked()[this.#index]);
      return () => this.#wait("taking");
    });
  }

  #endTake() {
    this.#try(async () => {
      await this.#take(null);
      return () => this.#next();
    });
  }

  #next() {
    if (this.#index + 1 < this.#asked().length) {
      this.#index += 1;
      return this.#wait("ready");
    }
    const { socket, emotions } = this.#deps;
    return this.#try(async () => {
      const asked = { face: this.#faceId, by: this.#kind };
      const learned = parseLearnAck(await socket.ask("learn", asked), emotions);
      return () => this.#show(learned);
    });
  }

  #show(learned) {
    this.#result = learned;
    this.#become("result");
    // Who asked for the resting face has asked for this; a check only offers it.
    if (this.#kind === "resting") this.use();
  }

  #correct(kept) {
    const { socket } = this.#deps;
    const [face, step] = [this.#faceId, this.#step];
    this.#try(async () => {
      const offsets = kept?.offsets ?? null;
      parseCorrectAck(await socket.ask("correct", { face, offsets }));
      return () => {
        if (kept) this.#corrected.set(face, (this.#last = kept));
        else this.#corrected.delete(face);
        this.#become(step);
      };
    });
  }

  async #take(expression) {
    const { socket } = this.#deps;
    parseTakeAck(await socket.ask("take", { face: this.#faceId, expression }));
  }

  /** Runs what asks the server; what comes of it counts only while nothing else has begun. */
  async #try(work) {
    const run = ++this.#run;
    if (["ready", "taking"].includes(this.#step)) this.#become("judging");
    try {
      const go = await work();
      if (run === this.#run) go();
    } catch (error) {
      // A lost connection has ended all, and says so itself.
      if (run !== this.#run || error.name === "DisconnectedError") return;
      this.#problem = error.message;
      this.#become("problem");
    }
  }

  #wait(step) {
    this.#spentMs = this.#views = 0;
    this.#seenMs = null;
    this.#become(step);
  }

  /** Whatever runs is over; the server keeps no views of it. */
  #leave() {
    const wasRunning = ["ready", "taking", "judging"].includes(this.#step);
    this.#run += 1;
    this.#kind = null;
    this.#result = null;
    this.#problem = "";
    if (wasRunning) this.#take(null).catch(() => {});
  }

  #end() {
    const isShown = this.#step !== "closed" || this.#corrected.size > 0;
    this.#run += 1;
    this.#kind = this.#result = this.#faceId = null;
    this.#faces = [];
    this.#corrected.clear();
    if (isShown) this.#become("closed");
  }

  #become(step) {
    this.#step = step;
    this.#tell();
  }

  #tell() {
    this.#deps.bus.emit("correction-changed", this.state);
  }
}

/** Plays a short tone when a face's label changes, for those who switched that on. */

/** A label counts once it has stood so long: a flicker is no change. */
const STEADY_MS = 400;
const PAUSE_MS = 300;
const TONE_S = 0.12;
const LOUDNESS = 0.08;
/** Steps of a pentatonic scale, which sound well in any order. */
const PITCHES_HZ = [392, 440, 523, 587, 659, 784, 880];

const RING_HZ = 1175;

/** Tells which label is new. Pure: the time is passed in. */
export class LabelChanges {
  #faces = new Map();
  #toldMs = -Infinity;

  /**
   * @param {readonly {id: number, label: string, sure: boolean}[]} faces of one result
   * @param {number} nowMs
   * @returns {string | null} a label that a face shows since a moment, after another one
   */
  offer(faces, nowMs) {
    let changed = null;
    const seen = new Map();
    for (const { id, label, sure } of faces) {
      const known = this.#faces.get(id) ?? { steady: null, next: null, sinceMs: nowMs };
      seen.set(id, known);
      if (!sure) continue;
      if (label !== known.next) Object.assign(known, { next: label, sinceMs: nowMs });
      if (label === known.steady || nowMs - known.sinceMs < STEADY_MS) continue;
      if (known.steady !== null) changed = label;
      known.steady = label;
    }
    this.#faces = seen;
    if (changed === null || nowMs - this.#toldMs < PAUSE_MS) return null;
    this.#toldMs = nowMs;
    return changed;
  }
}

export class LabelSound {
  #changes = new LabelChanges();
  #emotions;
  #newContext;
  #context = null;
  #isOn = false;

  /** @param {readonly string[]} emotions @param {() => AudioContext} newContext */
  constructor(emotions, newContext) {
    this.#emotions = emotions;
    this.#newContext = newContext;
  }

  /** Call it where a person acts: browsers play no sound before. */
  setOn(isOn) {
    this.#isOn = isOn;
    if (!isOn) void this.#context?.suspend();
  }

  /** A tone of its own, for a rule that asks for one. */
  ring() {
    this.#play(RING_HZ);
  }

  /** @param {readonly any[]} faces @param {number} nowMs */
  see(faces, nowMs) {
    const label = this.#changes.offer(faces, nowMs);
    if (this.#isOn && label !== null) this.#play(PITCHES_HZ[this.#emotions.indexOf(label)] ?? 440);
  }

  #play(pitchHz) {
    this.#context ??= this.#newContext();
    const context = this.#context;
    void context.resume();
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitchHz;
    volume.gain.setValueAtTime(LOUDNESS, context.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + TONE_S);
    tone.connect(volume).connect(context.destination);
    tone.start();
    tone.stop(context.currentTime + TONE_S);
  }
}

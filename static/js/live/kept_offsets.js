/**
 * Keeps the seven numbers of a correction in this browser, where the person asks for it, and reads
 * them back.
 *
 * @typedef {{kind: "resting" | "check", offsets: Record<string, number>}} Kept
 */
const NAME = "correction";
/** As the server bounds them, see docs/protocol.md. */
const MAX_OFFSET = 2;

export class KeptOffsets {
  #preferences;
  #emotions;

  /**
   * @param {import("../shared/preferences.js").Preferences} preferences
   * @param {readonly string[]} emotions
   */
  constructor(preferences, emotions) {
    this.#preferences = preferences;
    this.#emotions = emotions;
  }

  /** @returns {Kept | null} what no longer fits is as good as nothing */
  read() {
    try {
      const { kind, offsets } = JSON.parse(this.#preferences.get(NAME) ?? "");
      const fits = (value) => Number.isFinite(value) && Math.abs(value) <= MAX_OFFSET;
      const isWhole = this.#emotions.every((emotion) => fits(offsets[emotion]));
      return isWhole ? { kind: kind === "check" ? "check" : "resting", offsets } : null;
    } catch {
      return null;
    }
  }

  /** @param {Kept} kept */
  write(kept) {
    this.#preferences.set(NAME, JSON.stringify(kept));
  }

  forget() {
    this.#preferences.remove(NAME);
  }
}

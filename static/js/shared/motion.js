/**
 * Tells where a face is between and after the results that told of it. Pure: tracks are replaced,
 * not changed.
 *
 * A result tells where a face was when its frame was taken, one round trip ago. Each box coordinate
 * moves on with the velocity of the last two results, damped, and no longer than the horizon: a
 * face that stops must not sail on. The jump when a new result corrects the guess is spread over a
 * few frames.
 *
 * @typedef {object} Track
 * @property {number[]} box as measured last
 * @property {number} capturedMs when that frame was taken
 * @property {number[]} velocity box units per millisecond
 * @property {number[]} offset what was drawn minus what the new result says, at offsetMs
 * @property {number} offsetMs
 */

const HORIZON_MS = 150;
/**
 * Share of a new velocity that is believed: two boxes of a few pixels' jitter make a poor velocity.
 */
const VELOCITY_GAIN = 0.6;
/** Extrapolated time is t / (1 + t / this): full speed at first, ever slower later. */
const DAMPING_MS = 800;
/** The correction after a new result falls to 37 % in this time. */
const EASE_MS = 45;
/** After so long without a result the old velocity says nothing. */
const FORGET_MS = 500;

/**
 * @param {Track | undefined} track undefined for a new face
 * @param {readonly number[]} box
 * @param {number} capturedMs
 * @param {number} shownMs capture time of the picture on the screen
 * @returns {Track}
 */
export function observe(track, box, capturedMs, shownMs) {
  const fresh = {
    box: [...box],
    capturedMs,
    velocity: [0, 0, 0, 0],
    offset: [0, 0, 0, 0],
    offsetMs: shownMs,
  };
  if (!track) return fresh;
  const elapsedMs = capturedMs - track.capturedMs;
  if (elapsedMs <= 0) return track;
  if (elapsedMs < FORGET_MS) {
    fresh.velocity = box.map((value, i) => {
      const measured = (value - track.box[i]) / elapsedMs;
      return track.velocity[i] + VELOCITY_GAIN * (measured - track.velocity[i]);
    });
    const drawn = boxAt(track, shownMs);
    const guess = boxAt(fresh, shownMs);
    fresh.offset = drawn.map((value, i) => value - guess[i]);
  }
  return fresh;
}

/**
 * @param {Track} track
 * @param {number} atMs capture time of the picture that the box is drawn on
 * @returns {number[]} box
 */
export function boxAt(track, atMs) {
  const aheadMs = dampedMs(Math.min(HORIZON_MS, Math.max(0, atMs - track.capturedMs)));
  const left = Math.exp(-Math.max(0, atMs - track.offsetMs) / EASE_MS);
  return track.box.map((value, i) => {
    const moved = value + track.velocity[i] * aheadMs + track.offset[i] * left;
    return i < 2 ? moved : Math.max(track.box[i] * 0.5, moved);
  });
}

const dampedMs = (ms) => ms / (1 + ms / DAMPING_MS);

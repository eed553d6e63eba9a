/**
 * Reads what the server tells the page at loading: `<meta name="fer-options">`.
 *
 * @typedef {object} Options
 * @property {readonly string[]} emotions names in model order
 * @property {number} maxFrameBytes
 * @property {number} maxInFlight frames sent and not yet answered
 * @property {number} maxFps
 * @property {number} ackTimeoutMs
 * @property {{name: string, hash: string, unsureBelow: number, heatmaps: string | null, noHeatmaps:
 *   string}} model heatmaps: how its heat maps are made, null where it has none, and then
 *   noHeatmaps says why
 * @property {number} smoothingS time constant of the shown scores, in seconds
 * @property {number} maxFaces in one frame
 * @property {string} detector
 * @property {boolean} isRecordingDefault whether a browser that has not chosen records
 */

const positive = (value) => Number.isFinite(value) && value > 0;

/**
 * @param {string | null | undefined} json
 * @returns {Readonly<Options>}
 * @throws {TypeError} the page and the server do not fit together
 */
export function parseOptions(json) {
  let raw;
  try {
    raw = JSON.parse(json ?? "");
  } catch (error) {
    throw new TypeError("The page carries no readable fer-options. Reload it.", { cause: error });
  }
  const numbers = ["max_frame_bytes", "max_in_flight", "max_fps", "ack_timeout_ms"];
  const bad = numbers.find((name) => !positive(raw?.[name]));
  if (bad) throw new TypeError(`fer-options: ${bad} must be a positive number, got ${raw?.[bad]}.`);
  if (!isNameList(raw.emotions))
    throw new TypeError("fer-options: emotions must be a list of names.");
  return Object.freeze({
    emotions: Object.freeze([...raw.emotions]),
    maxFrameBytes: raw.max_frame_bytes,
    maxInFlight: raw.max_in_flight,
    maxFps: raw.max_fps,
    ackTimeoutMs: raw.ack_timeout_ms,
    model: Object.freeze({
      name: String(raw.model?.name ?? "unknown"),
      hash: String(raw.model?.hash ?? ""),
      unsureBelow: Number(raw.model?.unsure_below ?? 0),
      heatmaps: raw.model?.heatmaps ?? null,
      noHeatmaps: String(raw.model?.no_heatmaps ?? ""),
    }),
    smoothingS: Number(raw.smoothing_s ?? 0),
    maxFaces: Number(raw.max_faces ?? 1),
    detector: String(raw.detector ?? "unknown"),
    isRecordingDefault: raw.record !== false,
  });
}

function isNameList(value) {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((name) => typeof name === "string" && name)
  );
}

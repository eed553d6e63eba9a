/**
 * Checks the answer to one frame before anything else sees it.
 *
 * @typedef {object} Face
 * @property {number} id stable while the face is followed
 * @property {[number, number, number, number]} box left, top, width, height as fractions of the
 *   frame, not mirrored
 * @property {Record<string, number>} scores emotion -> probability
 * @property {string} label the emotion with the highest score
 * @property {number} confidence 0-1
 * @property {boolean} sure false: the confidence is too low to name an expression
 * @property {string | null} rival the next likely expression
 * @property {string | null} reason what speaks against an unsure face
 * @property {true} [corrected] the person asked for it, see docs/protocol.md
 * @property {string} [second] another expression that is strong too
 * @property {string} [name] what the person is called, for watchers
 * @property {import("./heatmap.js").Heatmap} [heatmap] where it was asked for and the network has
 *   any
 *
 * @typedef {{code: string, message: string, retryable: boolean}} WireError
 *
 * @typedef {{kind: "result", seq: number, faces: Face[], timingsMs: Record<string, number>}}
 *   ResultAck
 * @typedef {{kind: "dropped", seq: number, reason: string, timingsMs: Record<string, number>}}
 *   DroppedAck
 * @typedef {{kind: "refused", seq: number, error: WireError, retryAfterMs: number}} RefusedAck
 *   retryAfterMs: before then the server reads nothing more
 */

export const MAX_FACES = 100;
const MAX_HEATMAP_SIDE = 64;

export class ProtocolError extends Error {
  name = "ProtocolError";
}

/**
 * @param {any} raw
 * @param {{emotions: readonly string[], seq: number}} expected
 * @returns {ResultAck | DroppedAck | RefusedAck}
 * @throws {ProtocolError}
 */
export function parseAck(raw, { emotions, seq }) {
  check(isRecord(raw), "the answer is not an object");
  if (raw.error !== undefined) return parseRefusal(raw.error, seq);
  check(raw.seq === seq, `the answer is for frame ${raw.seq}, not ${seq}`);
  const timingsMs = parseTimings(raw.timings_ms ?? {});
  if (raw.dropped !== null && raw.dropped !== undefined) {
    check(isText(raw.dropped), "dropped is not a text");
    return { kind: "dropped", seq, reason: raw.dropped, timingsMs };
  }
  return { kind: "result", seq, faces: parseFaces(raw.faces, emotions), timingsMs };
}

/** @param {any} raw @param {number} seq @returns {RefusedAck} */
function parseRefusal(raw, seq) {
  const error = parseError(raw);
  const seconds = raw.retry_after_s ?? 0;
  check(Number.isFinite(seconds) && seconds >= 0, "the time to wait is not a number of seconds");
  return { kind: "refused", seq, error, retryAfterMs: seconds * 1000 };
}

/**
 * An error, or the reason for a disconnection, as the server words it.
 *
 * @param {any} raw
 * @returns {WireError}
 */
export function parseError(raw) {
  check(
    isRecord(raw) && isText(raw.code) && isText(raw.message),
    "the error has no code and message",
  );
  return { code: raw.code, message: raw.message, retryable: raw.retryable === true };
}

/** The server's refusal of a request, with what it said. */
class RefusedError extends Error {
  name = "RefusedError";

  /** @param {WireError} error */
  constructor({ code, message, retryable }) {
    super(message);
    this.code = code;
    this.retryable = retryable;
  }
}

/**
 * The answer to `record`.
 *
 * @param {any} raw
 * @returns {{session: string}}
 * @throws {RefusedError | ProtocolError}
 */
export function parseRecordAck(raw) {
  accept(raw);
  check(raw.session === null || isText(raw.session), "the session is not a text");
  return { session: raw.session };
}

/**
 * The answer to `name`.
 *
 * @param {any} raw
 * @throws {RefusedError | ProtocolError}
 */
export function parseNameAck(raw) {
  accept(raw);
}

/**
 * The answer to `take`.
 *
 * @param {any} raw
 * @returns {{views: number}}
 * @throws {RefusedError | ProtocolError}
 */
export function parseTakeAck(raw) {
  accept(raw);
  check(isCount(raw.views), "the take has no number of views");
  return { views: raw.views };
}

/**
 * @typedef {object} Learned what was learned of one person's views
 * @property {string | null} called what most views of a resting face were called
 * @property {Record<string, Record<string, number>> | null} table of a check: for each expression
 *   that was shown, shares of what it was called
 * @property {number} before share that is called right, 0-1
 * @property {number} after the same with the correction
 * @property {Record<string, number> | null} offsets null: no correction helps
 *
 * @param {any} raw
 * @param {readonly string[]} emotions
 * @returns {Learned}
 * @throws {RefusedError | ProtocolError}
 */
export function parseLearnAck(raw, emotions) {
  accept(raw);
  check(isShare(raw.before) && isShare(raw.after), "a share is not between 0 and 1");
  const { called = null, table = null, offsets = null } = raw;
  check(called === null || emotions.includes(called), `the label ${called} is unknown`);
  const isRow = (row) => isRecord(row) && emotions.every((emotion) => isShare(row[emotion]));
  check(table === null || (isRecord(table) && Object.values(table).every(isRow)), "the table");
  const isWhole = () => emotions.every((emotion) => Number.isFinite(offsets[emotion]));
  check(offsets === null || (isRecord(offsets) && isWhole()), "a correction is not seven numbers");
  return { called, table, before: raw.before, after: raw.after, offsets };
}

/**
 * The answer to `correct`.
 *
 * @param {any} raw
 * @throws {RefusedError | ProtocolError}
 */
export function parseCorrectAck(raw) {
  accept(raw);
}

/**
 * The answer to `marker`.
 *
 * @param {any} raw
 * @returns {{id: string, atS: number, text: string}} atS: seconds since the session's start
 * @throws {RefusedError | ProtocolError}
 */
export function parseMarkerAck(raw) {
  accept(raw);
  check(isRecord(raw.marker) && Number.isFinite(raw.marker.at_s), "the marker has no time");
  return { id: String(raw.marker.id), atS: raw.marker.at_s, text: String(raw.marker.text ?? "") };
}

/**
 * The answer to `rules`.
 *
 * @param {any} raw
 * @returns {{sends: boolean}} whether their effect "send" reaches receivers
 * @throws {RefusedError | ProtocolError}
 */
export function parseRulesAck(raw) {
  accept(raw);
  check(typeof raw.sends === "boolean", "sends is neither true nor false");
  return { sends: raw.sends };
}

/**
 * The server's word that a rule fired.
 *
 * @param {any} raw
 * @returns {{rule: string, hasSound: boolean}}
 * @throws {ProtocolError}
 */
export function parseFired(raw) {
  check(isRecord(raw) && isText(raw.rule), "rule names no rule");
  check(typeof raw.sound === "boolean", "sound is neither true nor false");
  return { rule: raw.rule, hasSound: raw.sound };
}

/**
 * The server's word that a rule's marker is in its database.
 *
 * @param {any} raw
 * @returns {{marker: {session: string, id: string, atS: number, text: string}}}
 * @throws {RefusedError | ProtocolError}
 */
export function parseMarked(raw) {
  const marker = parseMarkerAck(raw);
  check(isText(raw.session), "marked names no session");
  return { marker: { session: raw.session, ...marker } };
}

/**
 * The server's word that rows of a session are in its database.
 *
 * @param {any} raw
 * @returns {{session: string, samples: number, untilS: number}}
 * @throws {ProtocolError}
 */
export function parseSaved(raw) {
  check(isRecord(raw) && isText(raw.session), "saved names no session");
  check(
    Number.isFinite(raw.samples) && Number.isFinite(raw.until_s),
    "saved has no samples and until_s",
  );
  return { session: raw.session, samples: raw.samples, untilS: raw.until_s };
}

/**
 * How many people watch this page's stream, and whether any of them sees its picture.
 *
 * @param {any} raw
 * @returns {{watchers: number, hasVideo: boolean}}
 * @throws {ProtocolError}
 */
export function parseWatched(raw) {
  check(isRecord(raw) && isCount(raw.watchers), "watched has no number of watchers");
  check(typeof raw.video === "boolean", "video is neither true nor false");
  return { watchers: raw.watchers, hasVideo: raw.video };
}

/**
 * @typedef {object} WatchState of the stream that a link shows
 * @property {boolean} isLive
 * @property {boolean} hasVideo whether the link shows the picture
 * @property {string} name the link's
 * @property {number} watchers people who watch it
 *
 * @param {any} raw
 * @returns {WatchState}
 * @throws {ProtocolError}
 */
export function parseWatchState(raw) {
  check(isRecord(raw) && typeof raw.live === "boolean", "live is neither true nor false");
  return { isLive: raw.live, name: String(raw.name ?? ""), ...parseWatched(raw) };
}

/**
 * @typedef {object} WatchView one result of the stream that is watched
 * @property {number} capturedMs on the clock of whoever streams
 * @property {{width: number, height: number}} size of the frame in pixels
 * @property {Face[]} faces
 * @property {ArrayBuffer | Uint8Array | null} jpeg null: the link shows no picture
 *
 * @param {any} raw
 * @param {any} jpeg
 * @param {readonly string[]} emotions
 * @returns {WatchView}
 * @throws {ProtocolError}
 */
export function parseWatchView(raw, jpeg, emotions) {
  check(isRecord(raw) && Number.isFinite(raw.captured_ms), "captured_ms is not a number");
  const isSize =
    Array.isArray(raw.size) &&
    raw.size.length === 2 &&
    raw.size.every((side) => isCount(side) && side > 0);
  check(isSize, "size is not width and height");
  check(
    jpeg === undefined || jpeg instanceof ArrayBuffer || ArrayBuffer.isView(jpeg),
    "the picture is not binary",
  );
  const [width, height] = raw.size;
  return {
    capturedMs: raw.captured_ms,
    size: { width, height },
    faces: parseFaces(raw.faces, emotions),
    jpeg: jpeg ?? null,
  };
}

function accept(raw) {
  check(isRecord(raw), "the answer is not an object");
  if (raw.error !== undefined) throw new RefusedError(parseError(raw.error));
}

/** @returns {Face[]} */
function parseFaces(raw, emotions) {
  check(Array.isArray(raw), "faces is not a list");
  check(raw.length <= MAX_FACES, `${raw.length} faces, at most ${MAX_FACES} are allowed`);
  return raw.map((face) => parseFace(face, emotions));
}

/** @returns {Face} */
function parseFace(raw, emotions) {
  check(isRecord(raw), "a face is not an object");
  check(Number.isInteger(raw.id), "a face has no whole number as id");
  check(isBox(raw.box), "a box is not four numbers with an area");
  check(isRecord(raw.scores), "a face has no scores");
  const scores = {};
  for (const emotion of emotions) {
    check(isShare(raw.scores[emotion]), `the score of ${emotion} is not between 0 and 1`);
    scores[emotion] = raw.scores[emotion];
  }
  check(emotions.includes(raw.label), `the label ${raw.label} is unknown`);
  check(isShare(raw.confidence), "the confidence is not between 0 and 1");
  check(typeof raw.sure === "boolean", "sure is neither true nor false");
  const corrected = raw.corrected === true ? { corrected: /** @type {true} */ (true) } : {};
  check(
    raw.second === undefined || emotions.includes(raw.second),
    `the second expression ${raw.second} is unknown`,
  );
  check(raw.name === undefined || isText(raw.name), "the name of a face is not a text");
  const heatmap = raw.heatmap === undefined ? {} : { heatmap: parseHeatmap(raw.heatmap, emotions) };
  return {
    id: raw.id,
    box: raw.box,
    scores,
    label: raw.label,
    confidence: raw.confidence,
    sure: raw.sure,
    rival: emotions.includes(raw.rival) ? raw.rival : null,
    reason: typeof raw.reason === "string" ? raw.reason : null,
    ...corrected,
    ...(raw.second === undefined ? {} : { second: raw.second }),
    ...(raw.name === undefined ? {} : { name: raw.name }),
    ...heatmap,
  };
}

/**
 * The heat maps of one face, from whichever answer.
 *
 * @param {any} raw
 * @param {readonly string[]} emotions
 * @returns {import("./heatmap.js").Heatmap}
 * @throws {ProtocolError}
 */
function parseHeatmap(raw, emotions) {
  check(isRecord(raw) && isRecord(raw.values), "a heat map has no values");
  const { side, corners } = raw;
  check(isCount(side) && side > 0 && side <= MAX_HEATMAP_SIDE, "a heat map has no side");
  const isPoint = (point) =>
    Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
  check(
    Array.isArray(corners) && corners.length === 4 && corners.every(isPoint),
    "a heat map has not four corners",
  );
  const values = {};
  for (const emotion of emotions) {
    const isMap = Array.isArray(raw.values[emotion]) && raw.values[emotion].length === side * side;
    check(
      isMap && raw.values[emotion].every(isHeat),
      `the heat map of ${emotion} is not ${side} x ${side} numbers from 0 to 255`,
    );
    values[emotion] = [...raw.values[emotion]];
  }
  return {
    side,
    corners: corners.map(([x, y]) => [x, y]),
    values,
    method: String(raw.method ?? ""),
  };
}

function parseTimings(raw) {
  check(isRecord(raw), "timings_ms is not an object");
  const isTiming = ([, value]) => Number.isFinite(value) && value >= 0;
  check(Object.entries(raw).every(isTiming), "a timing is not a number of milliseconds");
  return { ...raw };
}

function check(holds, problem) {
  if (!holds) throw new ProtocolError(`The server's answer is malformed: ${problem}.`);
}

const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isHeat = (value) => Number.isFinite(value) && value >= 0 && value <= 255;
const isText = (value) => typeof value === "string" && value !== "";
// Rounding may carry a softmax a hair past one.
const isShare = (value) => Number.isFinite(value) && value >= 0 && value <= 1.000001;

function isBox(value) {
  const isList = Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
  return isList && value[2] > 0 && value[3] > 0 && value.every((number) => Math.abs(number) <= 2);
}

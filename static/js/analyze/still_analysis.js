/**
 * Checks what the server found in one picture, so that no view meets a value it cannot show.
 * Pure.
 *
 * @typedef {object} StillFace
 * @property {number} id from 1
 * @property {readonly number[]} box left, top, width, height as fractions of the picture
 * @property {readonly number[]} boxPx the same in pixels
 * @property {Readonly<Record<string, number>>} scores 0-1 of each expression
 * @property {string} label
 * @property {number} confidence 0-1
 * @property {boolean} sure
 * @property {string | null} rival the next likely expression
 * @property {string | null} reason what speaks against an unsure face
 * @property {string | null} second another expression that is strong too
 * @property {import("../shared/heatmap.js").Heatmap | null} heatmap null where the model has none
 *
 * @typedef {object} StillAnalysis
 * @property {number} width of the picture, in pixels
 * @property {number} height
 * @property {"detect" | "whole"} framing whether faces were searched, or the whole picture was
 *   taken for one
 * @property {string} reason why so
 * @property {readonly StillFace[]} faces
 * @property {readonly string[]} remarks what to know about the file and the result, as the server
 *   says it
 * @property {object} wire the answer as it came
 */
import { countFaces, emotionName } from "../shared/format.js";
import { formatNumber, t } from "../shared/words.js";

/**
 * @param {any} wire
 * @param {readonly string[]} emotions
 * @returns {StillAnalysis}
 * @throws {TypeError} the answer has not the agreed form
 */
export function readStillAnalysis(wire, emotions) {
  const isWhole =
    Number.isInteger(wire?.width) && Number.isInteger(wire?.height) && Array.isArray(wire?.faces);
  if (!isWhole)
    throw new TypeError(t("The server's answer has no picture size or no faces. Reload the page."));
  return {
    width: wire.width,
    height: wire.height,
    framing: wire.framing === "whole" ? "whole" : "detect",
    reason: String(wire.reason ?? ""),
    remarks: Array.isArray(wire.remarks) ? wire.remarks.map(String) : [],
    faces: wire.faces.map((face, i) => readFace(face, i + 1, emotions)),
    wire,
  };
}

function readFace(wire, id, emotions) {
  const isComplete =
    Array.isArray(wire.box) &&
    wire.box.length === 4 &&
    emotions.every((name) => Number.isFinite(wire.scores?.[name]));
  if (!isComplete || !emotions.includes(wire.label))
    throw new TypeError(
      t("Face {id} in the server's answer is incomplete. Reload the page.", { id }),
    );
  const { box, scores, label, confidence } = wire;
  return {
    id,
    box,
    boxPx: wire.box_px,
    scores,
    label,
    confidence,
    sure: wire.sure === true,
    rival: emotions.includes(wire.rival) ? wire.rival : null,
    reason: typeof wire.reason === "string" ? wire.reason : null,
    second: emotions.includes(wire.second) ? wire.second : null,
    heatmap: wire.heatmap ?? null,
  };
}

/**
 * A few words for a list: "Happy", "3 faces: 2 happy, 1 unsure", "No face found".
 *
 * @param {readonly StillFace[]} faces
 */
export function summariseFaces(faces) {
  if (faces.length === 0) return t("No face found");
  const says = faces.map(({ label, sure }) => emotionName(sure ? label : "unsure"));
  if (faces.length === 1) return says[0];
  const counts = new Map();
  for (const name of says) counts.set(name, (counts.get(name) ?? 0) + 1);
  const parts = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([name, count]) => `${formatNumber(count)} ${name}`);
  return t("{name}: {text}", { name: countFaces(faces.length), text: parts.join(", ") });
}

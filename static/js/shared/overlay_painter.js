/** Draws faces on a canvas: the same on the live overlay, in a snapshot and on a picture. */
import { placeLabels } from "./label_layout.js";
import { drawPersonMark } from "./person_mark.js";
import { UNSURE_COLOUR, emotionColour, textColourOn } from "./palette.js";

const FONT_FAMILY = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const HALO = "rgba(8, 11, 16, 0.55)";
const BADGE = "#10141b";
const ALL_PARTS = { boxes: true, labels: true, scale: 1 };

/**
 * Draws all boxes, then a label with the face's number at each where there is room for one.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {readonly {rect: import("./geometry.js").Rect, text: string, face: {id: number, label:
 *   string, sure: boolean}, isPointed?: boolean, alpha?: number}[]} drawings
 * @param {import("./geometry.js").Size} view
 * @param {Map<number, import("./label_layout.js").PlacedLabel>} [before] where the labels were
 * @param {{boxes: boolean, labels: boolean, scale: number}} [parts] what of it is drawn; scale: of
 *   lines and letters
 * @returns {Map<number, import("./label_layout.js").PlacedLabel>} where they are, by the face's id
 */
export function drawFaces(context, drawings, view, before, parts = ALL_PARTS) {
  const seen = drawings.filter(({ rect }) => rect.width > 0 && rect.height > 0);
  const unit = unitOf(view) * parts.scale;
  for (const { rect, face, isPointed, alpha = 1 } of parts.boxes ? seen : []) {
    context.globalAlpha = alpha;
    drawFrame(context, rect, colourOf(face), { unit, isDashed: !face.sure, isPointed });
  }
  context.font = `600 ${15 * unit}px ${FONT_FAMILY}`;
  const labelled = (parts.labels ? seen : []).map((drawing) => measure(context, drawing, unit));
  const places = placeLabels(labelled, view, 7 * unit, before);
  for (const { face, text, alpha = 1 } of seen) {
    const place = places.get(face.id);
    context.globalAlpha = alpha;
    if (place) drawChip(context, place, { face, text: place.text === 0 ? text : "", unit });
  }
  context.globalAlpha = 1;
  return places;
}

/** The number in its badge, then the words; or the number alone. */
function measure(context, { rect, text, face }, unit) {
  const badge = badgeWidth(context, face, unit);
  const words = context.measureText(text).width + 18 * unit;
  const height = 27 * unit;
  const sizes = [
    { width: badge + words, height },
    { width: badge, height },
  ];
  return { id: face.id, rect, sizes };
}

const badgeWidth = (context, { id }, unit) => context.measureText(String(id)).width + 31 * unit;

/** The box alone, where there is no room for words. See drawFace. */
export function drawFaceFrame(context, { rect, face, view }) {
  if (rect.width <= 0 || rect.height <= 0) return;
  drawFrame(context, rect, colourOf(face), { unit: unitOf(view), isDashed: !face.sure });
}

const colourOf = (face) => (face.sure ? emotionColour(face.label) : UNSURE_COLOUR);

/** Line and letters keep their share of the picture: a snapshot may be larger than the stage. */
const unitOf = (view) => Math.max(0.8, Math.min(view.width, view.height) / 520);

/** A coloured line on a dark one, to be seen on any picture. */
function drawFrame(context, rect, colour, { unit, isDashed, isPointed = false }) {
  const radius = Math.min(14 * unit, rect.width / 4, rect.height / 4);
  context.beginPath();
  context.roundRect(rect.x, rect.y, rect.width, rect.height, radius);
  context.setLineDash([]);
  context.lineWidth = (isPointed ? 9 : 5) * unit;
  context.strokeStyle = isPointed ? "#ffffff" : HALO;
  context.stroke();
  context.setLineDash(isDashed ? [8 * unit, 6 * unit] : []);
  context.lineWidth = (isPointed ? 4 : 2.5) * unit;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
}

function drawChip(context, { x, y, width, height }, { face, text, unit }) {
  const badge = badgeWidth(context, face, unit);
  const colour = colourOf(face);
  context.textBaseline = "middle";
  context.beginPath();
  context.roundRect(x, y, width, height, 8 * unit);
  context.fillStyle = BADGE;
  context.fill();
  if (text) {
    context.beginPath();
    context.roundRect(x + badge, y, width - badge, height, [0, 8 * unit, 8 * unit, 0]);
    context.fillStyle = colour;
    context.fill();
    context.fillStyle = textColourOn(colour);
    context.fillText(text, x + badge + 9 * unit, y + height / 2 + unit);
  }
  context.fillStyle = "#ffffff";
  drawPersonMark(context, face.id, { x: x + 13 * unit, y: y + height / 2, radius: 5.5 * unit });
  context.fillText(String(face.id), x + 23 * unit, y + height / 2 + unit);
}

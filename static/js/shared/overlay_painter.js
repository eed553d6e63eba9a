/** Draws one face on a canvas: the same on the live overlay and in a snapshot. */
import { placeLabel } from "./geometry.js";
import { UNSURE_COLOUR, emotionColour, textColourOn } from "./palette.js";

const FONT_FAMILY = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const HALO = "rgba(8, 11, 16, 0.55)";

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{rect: import("./geometry.js").Rect, text: string, view: import("./geometry.js").Size,
 *   face: {label: string, sure: boolean}}} drawing
 */
export function drawFace(context, { rect, text, face, view }) {
  if (rect.width <= 0 || rect.height <= 0) return;
  drawFaceFrame(context, { rect, face, view });
  drawChip(context, rect, text, colourOf(face), { unit: unitOf(view), view });
}

/** The box alone, where there is no room for words. See drawFace. */
export function drawFaceFrame(context, { rect, face, view }) {
  if (rect.width <= 0 || rect.height <= 0) return;
  drawFrame(context, rect, colourOf(face), { unit: unitOf(view), isDashed: !face.sure });
}

const colourOf = (face) => (face.sure ? emotionColour(face.label) : UNSURE_COLOUR);

/** Line and letters keep their share of the picture: a snapshot may be larger than the stage. */
const unitOf = (view) => Math.max(0.8, Math.min(view.width, view.height) / 520);

/** A coloured line on a dark one, to be seen on any picture. */
function drawFrame(context, rect, colour, { unit, isDashed }) {
  const radius = Math.min(14 * unit, rect.width / 4, rect.height / 4);
  context.beginPath();
  context.roundRect(rect.x, rect.y, rect.width, rect.height, radius);
  context.setLineDash([]);
  context.lineWidth = 5 * unit;
  context.strokeStyle = HALO;
  context.stroke();
  context.setLineDash(isDashed ? [8 * unit, 6 * unit] : []);
  context.lineWidth = 2.5 * unit;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
}

function drawChip(context, rect, text, colour, { unit, view }) {
  context.font = `600 ${15 * unit}px ${FONT_FAMILY}`;
  const size = { width: context.measureText(text).width + 20 * unit, height: 27 * unit };
  const { x, y } = placeLabel(rect, size, view, 7 * unit);
  context.beginPath();
  context.roundRect(x, y, size.width, size.height, 8 * unit);
  context.fillStyle = colour;
  context.fill();
  context.fillStyle = textColourOn(colour);
  context.textBaseline = "middle";
  context.fillText(text, x + 10 * unit, y + size.height / 2 + unit);
}

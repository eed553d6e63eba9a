/**
 * Draws over a picture which cells of a face speak for an expression.
 *
 * @typedef {object} Heatmap of one face
 * @property {number} side rows and columns of each map
 * @property {[number, number][]} corners of the square that the network saw, fractions of the
 *   picture: left top, right top, right bottom, left bottom of the upright face; may lie outside of
 *   the picture
 * @property {Record<string, number[]>} values emotion -> side * side numbers, 0-255, row by row;
 *   one scale for all seven
 * @property {string} method how they were made
 *
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 */

/**
 * Inferno (van der Walt and Smith 2015, CC0): ever lighter, and told apart with any colour vision.
 */
const COLOURS = [
  [0, 0, 4],
  [87, 16, 110],
  [188, 55, 84],
  [249, 142, 9],
  [252, 255, 164],
];
/** The face must stay to be seen beneath the hottest cell. */
const MAX_ALPHA = 175;
/** Pixels a side of the coloured picture; the canvas smooths it further. */
const PIXELS = 48;

/**
 * @param {number} value 0-255
 * @returns {[number, number, number, number]} red, green, blue, alpha, 0-255; transparent where
 *   nothing speaks for it
 */
export function heatColour(value) {
  const share = Math.min(1, Math.max(0, value / 255));
  const at = share * (COLOURS.length - 1);
  const below = Math.min(COLOURS.length - 2, Math.floor(at));
  const mix = (i) =>
    Math.round(COLOURS[below][i] + (at - below) * (COLOURS[below + 1][i] - COLOURS[below][i]));
  return [mix(0), mix(1), mix(2), Math.round(MAX_ALPHA * share)];
}

/** The legend shows this, as CSS: from nothing to the hottest, left to right. */
export const HEAT_GRADIENT = `linear-gradient(to right, ${COLOURS.map((colour) => `rgb(${colour.join(" ")})`).join(", ")})`;

/**
 * A map as a picture, its values smoothed before they are coloured.
 *
 * @param {readonly number[]} values side * side, 0-255
 * @param {number} side
 * @param {number} size of the picture in pixels
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green, blue, alpha of size * size pixels
 */
export function heatPixels(values, side, size) {
  const pixels = new Uint8ClampedArray(size * size * 4);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const value = valueAt(values, side, cellAt(column, side, size), cellAt(row, side, size));
      pixels.set(heatColour(value), 4 * (row * size + column));
    }
  }
  return pixels;
}

/** Tells where a pixel's middle lies between the middles of the map's cells. */
const cellAt = (pixel, side, size) =>
  Math.min(side - 1, Math.max(0, ((pixel + 0.5) * side) / size - 0.5));

function valueAt(values, side, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [Math.min(side - 1, left + 1), Math.min(side - 1, top + 1)];
  const along = (row) =>
    values[row * side + left] +
    (x - left) * (values[row * side + right] - values[row * side + left]);
  return along(top) + (y - top) * (along(bottom) - along(top));
}

/**
 * Draws one face's map, turned as the face is; the context stays as it was.
 *
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context
 * @param {Heatmap} heatmap
 * @param {string} emotion which of its maps
 * @param {{picture: Rect, isMirrored?: boolean, corners?: [number, number][], makeCanvas?: (size:
 *   number) => any}} where picture: where the whole picture lies, in the context's units; corners:
 *   instead of the map's own, for a face that has moved on
 */
export function drawHeatmap(
  context,
  heatmap,
  emotion,
  { picture, isMirrored = false, corners = heatmap.corners, makeCanvas = newCanvas },
) {
  if (!heatmap.values[emotion] || picture.width <= 0 || picture.height <= 0) return;
  const [leftTop, rightTop, , leftBottom] = corners.map(([x, y]) => ({
    x: picture.x + (isMirrored ? 1 - x : x) * picture.width,
    y: picture.y + y * picture.height,
  }));
  context.save();
  context.beginPath();
  context.rect(picture.x, picture.y, picture.width, picture.height);
  context.clip();
  context.transform(
    rightTop.x - leftTop.x,
    rightTop.y - leftTop.y,
    leftBottom.x - leftTop.x,
    leftBottom.y - leftTop.y,
    leftTop.x,
    leftTop.y,
  );
  context.imageSmoothingEnabled = true;
  context.drawImage(coloured(heatmap, emotion, makeCanvas), 0, 0, 1, 1);
  context.restore();
}

/**
 * The corners of a map whose face has moved on since, as its box has.
 *
 * @param {readonly [number, number][]} corners
 * @param {readonly number[]} from left, top, width, height of the box then
 * @param {readonly number[]} to the box now
 * @returns {[number, number][]}
 */
export function moveCorners(corners, from, to) {
  return corners.map(([x, y]) => [
    to[0] + ((x - from[0]) * to[2]) / from[2],
    to[1] + ((y - from[1]) * to[3]) / from[3],
  ]);
}

/**
 * Pictures of maps that are drawn again with every picture of the camera; they go with their map.
 */
const made = new WeakMap();

function coloured(heatmap, emotion, makeCanvas) {
  if (!made.has(heatmap)) made.set(heatmap, new Map());
  const pictures = made.get(heatmap);
  if (!pictures.has(emotion))
    pictures.set(emotion, paint(heatmap.values[emotion], heatmap.side, makeCanvas(PIXELS)));
  return pictures.get(emotion);
}

function paint(values, side, canvas) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(PIXELS, PIXELS);
  image.data.set(heatPixels(values, side, PIXELS));
  context.putImageData(image, 0, 0);
  return canvas;
}

function newCanvas(size) {
  if (globalThis.OffscreenCanvas) return new OffscreenCanvas(size, size);
  return Object.assign(document.createElement("canvas"), { width: size, height: size });
}

/**
 * A shape for each person, beside the number: on the box, the card and the timeline. Shapes are
 * told apart with any colour vision, and the colours of expressions stay free for expressions.
 */

const polygon = (corners, turn = 0, inner = 1) =>
  Array.from({ length: corners }, (_each, i) => {
    const angle = (i / corners) * 2 * Math.PI - Math.PI / 2 + turn;
    const radius = i % 2 === 1 ? inner : 1;
    return [Math.cos(angle) * radius, Math.sin(angle) * radius];
  });

/** A cross whose arms are `arm` wide from the middle, within the circle of radius 1. */
const cross = (arm) =>
  [
    [-arm, -1], [arm, -1], [arm, -arm], [1, -arm], [1, arm], [arm, arm],
    [arm, 1], [-arm, 1], [-arm, arm], [-1, arm], [-1, -arm], [-arm, -arm],
  ]; // prettier-ignore

/** Corners in a square from -1 to 1, by name. */
const SHAPES = {
  circle: polygon(24),
  triangle: polygon(3),
  square: polygon(4, Math.PI / 4),
  star: polygon(10, 0, 0.42),
  diamond: polygon(4, 0).map(([x, y]) => [x * 0.72, y]),
  cross: cross(0.36),
  drop: polygon(3, Math.PI),
  bar: [[-1, -0.4], [1, -0.4], [1, 0.4], [-1, 0.4]], // prettier-ignore
};
const NAMES = Object.keys(SHAPES);

/**
 * @param {number} number of the person
 * @returns {{name: string, corners: number[][]}} the same for the same number; after eight numbers
 *   shapes come again
 */
export function personMark(number) {
  const name = NAMES[(((number - 1) % NAMES.length) + NAMES.length) % NAMES.length];
  return { name, corners: SHAPES[name] };
}

/**
 * @param {CanvasRenderingContext2D} context filled with its fillStyle
 * @param {number} number
 * @param {{x: number, y: number, radius: number}} place of the middle
 */
export function drawPersonMark(context, number, { x, y, radius }) {
  context.beginPath();
  for (const [dx, dy] of personMark(number).corners)
    context.lineTo(x + dx * radius, y + dy * radius);
  context.closePath();
  context.fill();
}

/** @param {number} number @returns {SVGElement} in the colour of the text around it */
export function personMarkElement(number) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
  const { name, corners } = personMark(number);
  shape.setAttribute("points", corners.map((corner) => corner.map(round).join(",")).join(" "));
  shape.setAttribute("fill", "currentColor");
  svg.setAttribute("viewBox", "-1.1 -1.1 2.2 2.2");
  svg.setAttribute("class", "person-mark");
  svg.setAttribute("aria-hidden", "true");
  svg.dataset.shape = name;
  svg.append(shape);
  return svg;
}

const round = (value) => value.toFixed(3);

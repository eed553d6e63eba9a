/**
 * Finds a place for each face's label where it covers no other label and no other face. Pure.
 *
 * Greedy, as in cartographic label placement: each label takes the best free one of a few positions
 * around its face, the one that it had before first, so that labels do not jump. One that finds no
 * room gets a shorter text, and where there is none for that either, none: a wrong name at a face
 * is worse than no name.
 *
 * @typedef {import("./geometry.js").Rect} Rect
 * @typedef {import("./geometry.js").Size} Size
 * @typedef {{id: number, rect: Rect, sizes: Size[]}} LabelledFace sizes: of the texts to try, the
 *   longest first
 * @typedef {{x: number, y: number, width: number, height: number, text: number, spot: number}}
 *   PlacedLabel text: which of the sizes it is; spot: which position
 */

/** Top left corners around a face: above, below, beside; the last ones inside it. */
const SPOTS = [
  ({ x, y }, size, gap) => [x, y - gap - size.height],
  ({ x, y, height }, _size, gap) => [x, y + height + gap],
  ({ x, y, width }, size, gap) => [x + width - size.width, y - gap - size.height],
  ({ x, y, width, height }, size, gap) => [x + width - size.width, y + height + gap],
  ({ x, y, width }, _size, gap) => [x + width + gap, y],
  ({ x, y }, size, gap) => [x - gap - size.width, y],
  ({ x, y, width, height }, size, gap) => [x + width + gap, y + height - size.height],
  ({ x, y, height }, size, gap) => [x - gap - size.width, y + height - size.height],
  ({ x, y }, _size, gap) => [x + gap, y + gap],
  ({ x, y, height }, size, gap) => [x + gap, y + height - size.height - gap],
];
const FIRST_INSIDE = 8;

/**
 * @param {readonly LabelledFace[]} faces
 * @param {Size} view
 * @param {number} gap between a label and its face
 * @param {ReadonlyMap<number, PlacedLabel>} [before] where the labels were
 * @returns {Map<number, PlacedLabel>} by id; a face without room for a label is missing
 */
export function placeLabels(faces, view, gap, before = new Map()) {
  const placed = new Map();
  // Who stands further up first: the usual place is above a face.
  const inOrder = [...faces].sort((a, b) => a.rect.y - b.rect.y || a.id - b.id);
  for (const face of inOrder) {
    const taken = [...placed.values()];
    for (const other of faces) if (other !== face) taken.push(other.rect);
    const label = place(face, taken, { view, gap, spot: before.get(face.id)?.spot });
    if (label) placed.set(face.id, label);
  }
  return placed;
}

function place({ rect, sizes }, taken, { view, gap, spot: usual }) {
  const spots = [...SPOTS.keys()].sort((a, b) => Number(b === usual) - Number(a === usual));
  for (const [text, size] of sizes.entries()) {
    for (const spot of spots) {
      const [left, y] = SPOTS[spot](rect, size, gap);
      const label = { x: within(left, view.width - size.width), y, ...size, text, spot };
      const covered = spot < FIRST_INSIDE ? [...taken, rect] : taken;
      if (isInside(label, view) && !covered.some((other) => overlap(label, other))) return label;
    }
  }
  return null;
}

const within = (value, most) => Math.max(0, Math.min(value, most));

const isInside = ({ x, y, width, height }, view) =>
  x >= 0 && y >= 0 && x + width <= view.width && y + height <= view.height;

/** @param {Rect} a @param {Rect} b */
export function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Lays sessions side by side on one axis. Pure. */

/**
 * @param {readonly {lengthS: number, originS: number}[]} sessions originS: the session's second
 *   that becomes zero
 * @returns {[number, number]} the axis that shows all of every session
 */
export function sharedRange(sessions) {
  const from = Math.min(...sessions.map(({ originS }) => 0 - originS));
  const to = Math.max(...sessions.map(({ lengthS, originS }) => lengthS - originS));
  return to > from ? [from, to] : [from, from + 1];
}

/**
 * Columns of several timelines on one axis of time, as the chart wants them: a line passes over the
 * points of the others (undefined) and breaks in its own gaps (null).
 *
 * @param {readonly {atS: number[], values: (number | null)[]}[]} lines
 * @returns {{atS: number[], columns: (number | null | undefined)[][]}}
 */
export function joinLines(lines) {
  const atS = [...new Set(lines.flatMap((line) => line.atS))].sort((a, b) => a - b);
  const rowOf = new Map(atS.map((time, row) => [time, row]));
  const columns = lines.map((line) => {
    const column = Array(atS.length).fill(undefined);
    line.atS.forEach((time, i) => (column[rowOf.get(time)] = line.values[i]));
    return widenGaps(column);
  });
  return { atS, columns };
}

/** The rows of other lines that fall into a gap belong to it. */
function widenGaps(column) {
  column.forEach((value, row) => {
    if (value !== null) return;
    for (let before = row - 1; before >= 0 && column[before] === undefined; before -= 1)
      column[before] = null;
    for (let after = row + 1; after < column.length && column[after] === undefined; after += 1)
      column[after] = null;
  });
  return column;
}

/** @param {readonly {id: string, at_s: number}[]} markers @param {string} id "" for the start */
export const originOf = (markers, id) => markers.find((marker) => marker.id === id)?.at_s ?? 0;

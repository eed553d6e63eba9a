/** Says how the chart's axes, lines and markers look, and which windows of time it shows. */
import { formatSigned } from "../shared/affect.js";
import { formatDuration } from "../shared/format.js";
import { formatNumber } from "../shared/words.js";

export const AXIS_PX = 64;
export const RIGHT_PX = 26;
/** Closer than this there is nothing more to see at five samples a second. */
const SHORTEST_S = 4;

/**
 * @param {[number, number]} range
 * @param {[number, number]} domain
 * @returns {[number, number]} within the domain, in order, not shorter than can be read
 */
export function clampRange(range, domain) {
  const [low, high] = [...range].sort((a, b) => a - b);
  const span = Math.min(domain[1] - domain[0], Math.max(SHORTEST_S, high - low));
  const middle = (low + high) / 2;
  const from = Math.min(
    Math.max(domain[0], high - low < span ? middle - span / 2 : low),
    domain[1] - span,
  );
  return [from, from + span];
}

/** @param {string} colour a colour or the name of a CSS variable */
export function cssColour(colour) {
  if (!colour.startsWith("--")) return colour;
  return getComputedStyle(document.documentElement).getPropertyValue(colour).trim();
}

export function series({ label, colour, dash, isHidden = false }, isStacked) {
  const paint = () => cssColour(colour);
  return {
    label,
    show: !isHidden,
    stroke: paint,
    fill: isStacked ? paint : undefined,
    width: isStacked ? 0 : 2,
    dash,
    points: { show: false },
    spanGaps: false,
  };
}

const GRID = { stroke: () => cssColour("--line"), width: 1 };
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400];

export const timeAxis = () => ({
  stroke: () => cssColour("--text-soft"),
  font: "12px system-ui, sans-serif",
  grid: GRID,
  ticks: GRID,
  incrs: STEPS_S,
  space: 64,
  size: 34,
  values: (_plot, splits) => splits.map(formatOffset),
});

export const shareAxis = () => ({
  ...valueAxis([0, 0.25, 0.5, 0.75, 1]),
  values: (_plot, splits) => splits.map((share) => formatNumber(share, { style: "percent" })),
});

export const signedAxis = () => ({
  ...valueAxis([-1, -0.5, 0, 0.5, 1]),
  values: (_plot, splits) => splits.map(formatSigned),
});

const valueAxis = (splits) => ({
  stroke: () => cssColour("--text-soft"),
  font: "12px system-ui, sans-serif",
  grid: GRID,
  ticks: GRID,
  size: AXIS_PX,
  splits: () => splits,
});

/** @param {number} seconds may be before zero, where sessions are aligned at a marker */
export const formatOffset = (seconds) =>
  seconds < 0 ? `−${formatDuration(-seconds)}` : formatDuration(seconds);

export function drawMarkers({ ctx, bbox, valToPos }, markers) {
  const scale = devicePixelRatio || 1;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = cssColour("--text");
  ctx.lineWidth = scale;
  ctx.font = `600 ${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  markers.forEach(({ atS, text }) => {
    const x = Math.round(valToPos(atS, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.setLineDash([4 * scale, 3 * scale]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(text, x, bbox.top - 3 * scale);
  });
  ctx.restore();
}

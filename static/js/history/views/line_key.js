/** Tells the lines of sessions apart, by colour and by dashes. */
const SVG = "http://www.w3.org/2000/svg";

export const LINES = [
  { colour: "--accent", dash: [] },
  { colour: "--bad", dash: [9, 4] },
  { colour: "--good", dash: [3, 3] },
  { colour: "--warn", dash: [12, 4, 3, 4] },
];

/** @param {number} index @returns {SVGElement} a short piece of the line */
export function lineKey(index) {
  const { colour, dash } = LINES[index];
  const key = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  key.setAttribute("class", "line-key");
  key.setAttribute("viewBox", "0 0 26 10");
  key.setAttribute("aria-hidden", "true");
  line.setAttribute("d", "M0 5h26");
  line.setAttribute("stroke-width", "3");
  line.setAttribute("stroke-dasharray", dash.join(" "));
  line.style.setProperty("stroke", `var(${colour})`);
  key.append(line);
  return key;
}

/**
 * Reads from the address what the overlay shows. Pure.
 *
 * @typedef {object} OverlayQuery
 * @property {readonly string[]} show some of OFFERED
 * @property {boolean} isMirrored
 * @property {number} scale of labels and bars
 * @property {readonly string[]} problems what of the address was not understood, and what is allowed
 */
import { readLink } from "../shared/link_settings.js";

const OFFERED = Object.freeze(["boxes", "labels", "percentages", "bars", "second"]);
const USUAL = Object.freeze(["boxes", "labels", "percentages", "second"]);

/** @param {string} search of the address @returns {Readonly<OverlayQuery>} */
export function parseOverlayQuery(search) {
  const names = ["show", "mirror", "scale"];
  const { values, problems } = readLink(search, { names, offered: OFFERED });
  return Object.freeze({
    show: Object.freeze(values.show ?? USUAL),
    isMirrored: values.mirror ?? false,
    scale: values.scale ?? 1,
    problems: Object.freeze(
      problems.map(
        ({ name, allowed, came }) => `${name}: takes ${allowed}, got ${JSON.stringify(came)}.`,
      ),
    ),
  });
}

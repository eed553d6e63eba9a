/** Puts what is more than a label into words. Pure. */
import { describeAffect, formatSigned } from "./affect.js";
import { emotionName, formatDuration, formatPercent } from "./format.js";
import { t } from "./words.js";

const FACTS = {
  affect: ({ affect }) =>
    t("Valence {valence}, arousal {arousal}", {
      valence: formatSigned(affect.valence),
      arousal: formatSigned(affect.arousal),
    }),
  intensity: ({ intensity }) => t("Intensity {percent}", { percent: formatPercent(intensity) }),
  since: ({ sinceS }) => t("Shown for {time}", { time: formatDuration(sinceS) }),
  mood: ({ mood }) => t("Last 10 s: {mood}", { mood: mood ? describeMood(mood) : "–" }),
};

/**
 * @param {import("./moods.js").PersonAffect} person
 * @param {readonly string[]} show some of SHOWN in link_settings.js
 * @returns {string[]} what of it is wanted
 */
export const factsOf = (person, show) =>
  Object.entries(FACTS)
    .filter(([part]) => show.includes(part))
    .map(([, describe]) => describe(person));

/** @param {import("./moods.js").Mood} mood @returns {string} such as "happy 64 %" */
export const describeMood = ({ label, share }) => `${emotionName(label)} ${formatPercent(share)}`;

/**
 * @param {readonly import("./moods.js").PersonAffect[]} people
 * @param {ReadonlyMap<number, string>} names
 * @returns {string} for those who cannot see the circumplex
 */
export function describeCircumplex(people, names) {
  if (people.length === 0) return t("No face in view");
  return people
    .map(({ id, affect }) =>
      t("{who}: {words} (valence {valence}, arousal {arousal})", {
        who: names.get(id) ?? t("Face {id}", { id }),
        words: describeAffect(affect),
        valence: formatSigned(affect.valence),
        arousal: formatSigned(affect.arousal),
      }),
    )
    .join("; ");
}

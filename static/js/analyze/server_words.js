/**
 * Says in the reader's language what the server says in whole English phrases without a code. What
 * is not known here stays English. Pure.
 */
import { t } from "../shared/words.js";

/** Of fer_web/analysis/folders/folder_scores.py. */
const DIFFERENCES = {
  two: t(
    "accuracy is of the expression that users are shown, which the network learned from the votes of ten people for each image (FER+); accuracy_original is of its second output, learned from FER-2013's own labels, which agree with the majority of those people on only 63 % of the images.",
  ),
  one: t(
    "This model has no second output for FER-2013's own labels, so there is no accuracy_original.",
  ),
};

/** @param {string} said of a report @returns {string} how its two accuracies differ */
export function headsDifference(said) {
  if (said.startsWith("accuracy is of")) return DIFFERENCES.two;
  return said.includes("has no second output") ? DIFFERENCES.one : said;
}

/**
 * @param {string} said of a picture that was taken for one face whole, as
 *   fer_web/analysis/stills/stills.py says it
 */
export function framingReason(said) {
  if (said === "asked for") return t("asked for");
  const size = /^(\d+)x(\d+) pixels are no more than a face$/.exec(said);
  if (size)
    return t("{width}x{height} pixels are no more than a face", {
      width: size[1],
      height: size[2],
    });
  const fills = /^one face fills it \((\d+) % of its longer side\)$/.exec(said);
  return fills
    ? t("one face fills it ({percent} % of its longer side)", { percent: fills[1] })
    : said;
}

/** @param {string} said of a picture, as fer_web/analysis/stills/ says it beside the result */
export function remarkText(said) {
  if (said.startsWith("The JPEG has no end marker."))
    return t(
      "The JPEG has no end marker. All pixels are there, but something may have cut the file.",
    );
  const left = /^(\d+) of (\d+) faces shown, the surest\.$/.exec(said);
  return left
    ? t("{count} of {total} faces shown, the surest.", { count: left[1], total: left[2] })
    : said;
}

/** Says how a folder test stands. Pure. */
import { formatNumber, plural, t } from "../shared/words.js";
import { formatLeft } from "./video_texts.js";

const oneDecimal = (number) =>
  formatNumber(number, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** @param {number | null} share 0-1 @returns {string} such as 72.4 % */
export const formatShare = (share) =>
  Number.isFinite(share) ? `${oneDecimal(100 * share)} %` : "–";

/** @param {readonly [number, number] | null} interval */
export function formatInterval(interval) {
  return interval
    ? t("95 % interval {low} to {high} %", {
        low: oneDecimal(100 * interval[0]),
        high: oneDecimal(100 * interval[1]),
      })
    : "";
}

/** @param {import("./folder_evaluation.js").FolderState} state */
export function describeProgress({ status, sent, total, right, scored, etaS }) {
  if (status === "stopping") return t("Stopping; the report is being made");
  const done = plural(total, "{done} of {count} picture", "{done} of {count} pictures", {
    done: formatNumber(sent),
  });
  if (sent === total && total > 0) return [done, t("the report is being made")].join(" · ");
  const soFar =
    scored > 0 ? [t("{share} right so far", { share: formatShare(right / scored) })] : [];
  // The first images say little about the time.
  return [done, ...soFar, ...(sent >= 5 && Number.isFinite(etaS) ? [formatLeft(etaS)] : [])].join(
    " · ",
  );
}

/**
 * What is left out of a test before it begins.
 *
 * @param {import("./file_kinds.js").LabelledFolder} folder
 */
export function describeLeftOut({ images, unlabelled, skipped }) {
  const parts = [];
  if (images.length > 0 && unlabelled.length > 0) {
    const names = unlabelled.slice(0, 3).map(({ name }) => name || t("the folder itself"));
    const count = unlabelled.reduce((sum, each) => sum + each.count, 0);
    const more = unlabelled.length - names.length;
    const listed = names.join(", ");
    parts.push(
      plural(
        count,
        "{count} picture in folders that name no expression ({names})",
        "{count} pictures in folders that name no expression ({names})",
        { names: more > 0 ? t("{names} and {more} more", { names: listed, more }) : listed },
      ),
    );
  }
  if (skipped > 0)
    parts.push(
      plural(
        skipped,
        "{count} file that is no picture by name",
        "{count} files that are no picture by name",
      ),
    );
  return parts.length > 0 ? t("Left out: {parts}.", { parts: parts.join("; ") }) : "";
}

/**
 * Images that count neither as right nor as wrong, as lines.
 *
 * @param {any} report
 * @param {number} unsent images that did not reach the server
 * @returns {string[]}
 */
export function describeApart(report, unsent) {
  const lines = [
    plural(
      report.no_face?.count ?? 0,
      "{count} picture without a face",
      "{count} pictures without a face",
    ),
  ];
  if (report.several_faces > 0)
    lines.push(
      t("{count} with several faces: the largest counts", {
        count: formatNumber(report.several_faces),
      }),
    );
  if (report.contempt)
    lines.push(
      t("{count} of contempt, which is none of the seven", {
        count: formatNumber(report.contempt.count),
      }),
    );
  if (report.unreadable?.length > 0)
    lines.push(t("{count} could not be read", { count: formatNumber(report.unreadable.length) }));
  if (unsent > 0) lines.push(t("{count} could not be sent", { count: formatNumber(unsent) }));
  return lines;
}

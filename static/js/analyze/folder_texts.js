/** Says how a folder test stands. Pure. */
import { formatCount } from "../shared/format.js";
import { formatLeft } from "./video_texts.js";

/** @param {number | null} share 0-1 @returns {string} such as 72.4 % */
export const formatShare = (share) =>
  Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "–";

/** @param {readonly [number, number] | null} interval */
export function formatInterval(interval) {
  return interval
    ? `95 % interval ${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)} %`
    : "";
}

/** @param {import("./folder_evaluation.js").FolderState} state */
export function describeProgress({ status, sent, total, right, scored, etaS }) {
  if (status === "stopping") return "Stopping; the report is being made";
  const done = `${sent.toLocaleString("en")} of ${formatCount(total, "picture")}`;
  if (sent === total && total > 0) return `${done} · the report is being made`;
  const soFar = scored > 0 ? [`${formatShare(right / scored)} right so far`] : [];
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
    const names = unlabelled.slice(0, 3).map(({ name }) => name || "the folder itself");
    const count = unlabelled.reduce((sum, each) => sum + each.count, 0);
    const more =
      unlabelled.length > names.length ? ` and ${unlabelled.length - names.length} more` : "";
    parts.push(
      `${formatCount(count, "picture")} in folders that name no expression (${names.join(", ")}${more})`,
    );
  }
  if (skipped > 0)
    parts.push(
      `${formatCount(skipped, "file")} that ${skipped === 1 ? "is" : "are"} no picture by name`,
    );
  return parts.length > 0 ? `Left out: ${parts.join("; ")}.` : "";
}

/**
 * Images that count neither as right nor as wrong, as lines.
 *
 * @param {any} report
 * @param {number} unsent images that did not reach the server
 * @returns {string[]}
 */
export function describeApart(report, unsent) {
  const lines = [`${formatCount(report.no_face?.count ?? 0, "picture")} without a face`];
  if (report.several_faces > 0)
    lines.push(`${report.several_faces} with several faces: the largest counts`);
  if (report.contempt)
    lines.push(`${report.contempt.count} of contempt, which is none of the seven`);
  if (report.unreadable?.length > 0) lines.push(`${report.unreadable.length} could not be read`);
  if (unsent > 0) lines.push(`${unsent} could not be sent`);
  return lines;
}

/** Says how all videos together stand. Pure. */
import { formatNumber, plural, t } from "../shared/words.js";
import { formatLeft, progressOf } from "./video_texts.js";

const PENDING = ["waiting", "uploading", "queued", "running"];
const FAILED = ["unsent", "failed"];

/**
 * @param {readonly import("./video_jobs.js").Video[]} videos
 * @returns {{count: number, finished: number, failed: number, pending: number, progress: number,
 *   fps: number, leftS: number | null}} progress: 0-1, each video counts the same; fps: frames
 *   analysed a second; leftS: seconds, null where nobody knows
 */
export function totalsOf(videos) {
  const pending = videos.filter(({ state }) => PENDING.includes(state));
  const running = pending.find(({ state }) => state === "running") ?? null;
  const over = videos.length - pending.length;
  return {
    count: videos.length,
    finished: videos.filter(({ state }) => state === "finished").length,
    failed: videos.filter(({ state }) => FAILED.includes(state)).length,
    pending: pending.length,
    progress: videos.length > 0 ? (over + (running ? shareOf(running) : 0)) / videos.length : 0,
    fps: running?.job.fps ?? 0,
    leftS: running ? leftOf(running, pending) : null,
  };
}

const shareOf = (video) => progressOf(video) ?? 0;

/** Those that wait take as long for each byte as the one that is under way. */
function leftOf(running, pending) {
  const etaS = running.job.eta_s;
  if (!Number.isFinite(etaS)) return null;
  const others = pending.filter((video) => video !== running);
  const bytes = others.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  const bytesLeft = running.totalBytes * (1 - shareOf(running));
  if (others.length === 0) return etaS;
  const isKnown = bytesLeft > 0 && others.every(({ totalBytes }) => totalBytes > 0);
  return isKnown ? etaS + (bytes * etaS) / bytesLeft : null;
}

/** @param {ReturnType<typeof totalsOf>} totals @returns {string} */
export function describeTotals({ count, finished, failed, pending, fps, leftS }) {
  const parts = [
    plural(count, "{done} of {count} video", "{done} of {count} videos", {
      done: formatNumber(finished),
    }),
  ];
  if (failed > 0) parts.push(plural(failed, "{count} not", "{count} not"));
  if (pending > 0 && fps > 0)
    parts.push(t("{count} a second", { count: formatNumber(Math.round(fps)) }));
  if (pending > 0 && leftS !== null) parts.push(formatLeft(leftS));
  return parts.join(" · ");
}

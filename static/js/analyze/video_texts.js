/** Says how a video stands. Pure. */
import { formatBytes, formatCount, formatDuration } from "../shared/format.js";

/** @param {import("./video_jobs.js").Video} video @returns {string} */
export function describeVideo(video) {
  const { state, sentBytes, totalBytes, job } = video;
  if (state === "waiting") return "Waits for its turn to be sent";
  if (state === "uploading") {
    if (sentBytes >= totalBytes) return "Sent, being checked";
    return `Sending: ${formatBytes(sentBytes)} of ${formatBytes(totalBytes)}`;
  }
  if (state === "unsent") return "Not sent";
  if (state === "queued")
    return job.position > 1 ? `In the queue, place ${job.position}` : "Next in the queue";
  if (state === "running") return describeRunning(job);
  if (state === "finished")
    return [formatCount(job.frames, "frame"), formatCount(job.faces ?? 0, "face")].join(" · ");
  return state === "cancelled" ? "Cancelled" : "Not analysed";
}

function describeRunning({ frames, frames_total: total, fps, eta_s: etaS }) {
  const done = total
    ? `${frames.toLocaleString("en")} of ${formatCount(total, "frame")}`
    : formatCount(frames, "frame");
  const speed = Number.isFinite(fps) && fps > 0 ? [`${Math.round(fps)} a second`] : [];
  return [done, ...speed, ...(Number.isFinite(etaS) ? [formatLeft(etaS)] : [])].join(" · ");
}

/** @param {number} seconds @returns {string} */
export function formatLeft(seconds) {
  return seconds < 1 ? "almost done" : `${formatDuration(Math.ceil(seconds))} left`;
}

/**
 * @param {import("./video_jobs.js").Video} video
 * @returns {number | null} 0-1; null where nobody knows
 */
export function progressOf({ state, sentBytes, totalBytes, job }) {
  if (state === "uploading") return totalBytes > 0 ? Math.min(1, sentBytes / totalBytes) : null;
  if (state === "running") return job.progress ?? null;
  return state === "finished" ? 1 : 0;
}

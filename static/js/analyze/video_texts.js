/** Says how a video stands. Pure. */
import { countFaces, formatBytes, formatDuration } from "../shared/format.js";
import { formatNumber, plural, t } from "../shared/words.js";

/** @param {import("./video_jobs.js").Video} video @returns {string} */
export function describeVideo(video) {
  const { state, sentBytes, totalBytes, job } = video;
  if (state === "waiting") return t("Waits for its turn to be sent");
  if (state === "uploading") {
    if (sentBytes >= totalBytes) return t("Sent, being checked");
    return t("Sending: {sent} of {total}", {
      sent: formatBytes(sentBytes),
      total: formatBytes(totalBytes),
    });
  }
  if (state === "unsent") return t("Not sent");
  if (state === "queued")
    return job.position > 1
      ? t("In the queue, place {place}", { place: formatNumber(job.position) })
      : t("Next in the queue");
  if (state === "running") return describeRunning(job);
  if (state === "finished")
    return [countFrames(job.frames), countFaces(job.faces ?? 0)].join(" · ");
  return state === "cancelled" ? t("Cancelled") : t("Not analysed");
}

function describeRunning({ frames, frames_total: total, fps, eta_s: etaS }) {
  const done = total
    ? plural(total, "{done} of {count} frame", "{done} of {count} frames", {
        done: formatNumber(frames),
      })
    : countFrames(frames);
  const speed =
    Number.isFinite(fps) && fps > 0
      ? [t("{count} a second", { count: formatNumber(Math.round(fps)) })]
      : [];
  return [done, ...speed, ...(Number.isFinite(etaS) ? [formatLeft(etaS)] : [])].join(" · ");
}

const countFrames = (count) => plural(count, "{count} frame", "{count} frames");

/** @param {number} seconds @returns {string} */
export function formatLeft(seconds) {
  return seconds < 1
    ? t("almost done")
    : t("{time} left", { time: formatDuration(Math.ceil(seconds)) });
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

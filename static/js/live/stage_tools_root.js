/** Builds pause, clip and small window of the live page, and wires them. */
import { find } from "../shared/page.js";
import { saveFile } from "../shared/save_file.js";
import { ClipRecorder } from "./clip.js";
import { keepClips } from "./clip_messages.js";
import { Composition } from "./composition.js";
import { PictureInPicture } from "./picture_in_picture.js";
import { Sight } from "./sight.js";
import { StageToolsView } from "./views/stage_tools.js";

/**
 * @param {import("../shared/event_bus.js").EventBus} bus
 * @param {{session: import("./live_session.js").LiveSession, clock:
 *   import("./video_clock.js").VideoClock, paintOverlay:
 *   import("./composition.js").PaintOverlay, now: () => number}} parts
 */
export function buildStageTools(bus, { session, clock, paintOverlay, now }) {
  new StageToolsView(elements(), bus);
  const canvas = document.createElement("canvas");
  const composition = new Composition({ video: find("video"), canvas, paintOverlay }, bus);
  const clip = new ClipRecorder({ composition, Recorder: globalThis.MediaRecorder, bus, now });
  const pip = new PictureInPicture({
    composition,
    documents: /** @type {any} */ (globalThis).documentPictureInPicture,
    makeVideo: () => document.createElement("video"),
    bus,
  });
  bus.on("pause-toggle-requested", () => session.pause(!session.isPaused));
  wireClip(bus, clip);
  bus.on("pip-toggle-requested", () => session.isActive && pip.toggle());
  bus.on("pip-changed", ({ screen }) => clock.runBy(screen));
  bus.on("session-changed", ({ state }) => state !== "live" && pip.close());
  new Sight(document, bus);
  clip.tell();
  pip.tell();
}

function wireClip(bus, clip) {
  let isLive = false;
  keepClips(bus, saveFile);
  bus.on("clip-toggle-requested", () => {
    if (clip.isOn) clip.stop("asked");
    else if (isLive) clip.start();
  });
  bus.on("pause-changed", ({ isPaused }) => clip.hold("pause", isPaused));
  bus.on("sight-changed", ({ isHidden }) => clip.hold("hidden", isHidden));
  bus.on("session-changed", ({ state }) => {
    isLive = state === "live";
    if (!isLive) clip.stop("stream");
  });
}

function elements() {
  return {
    page: document,
    stage: find("stage"),
    video: find("video"),
    pause: find("pause"),
    pausedSign: find("paused-sign"),
    clip: find("clip"),
    clipLabel: find("clip-label"),
    clipSign: find("clip-sign"),
    clipTime: find("clip-time"),
    pip: find("pip"),
    pipLabel: find("pip-label"),
    more: find("more"),
  };
}

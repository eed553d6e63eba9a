/** Saves a clip that has ended, and tells a person why it ended and where it is. */
import { formatBytes, formatDuration, momentName } from "../shared/format.js";
import { MAX_CLIP_S } from "./clip.js";

const REASONS = {
  asked: "",
  time: `It ended by itself: ${MAX_CLIP_S / 60} minutes are the longest. `,
  size: "It ended by itself: a longer one would not fit into the browser's memory. ",
  stream: "It ended with the picture. ",
  error: "It ended early: the browser could not go on recording. ",
};

/**
 * @param {import("../shared/event_bus.js").EventBus} bus
 * @param {(blob: Blob, name: string) => void} save
 */
export function keepClips(bus, save) {
  bus.on("clip-ended", ({ blob, ending, seconds, reason }) => {
    if (blob.size === 0) return bus.emit("message", emptyMessage());
    const name = momentName(new Date(), ending);
    save(blob, name);
    bus.emit("message", savedMessage({ name, seconds, reason, bytes: blob.size }));
  });
  tellHold(bus);
}

/** On return: nobody saw it then. */
function tellHold(bus) {
  let wasHidden = false;
  let isOn = false;
  bus.on("clip-changed", ({ state }) => (isOn = state !== "off"));
  bus.on("sight-changed", ({ isHidden }) => {
    if (isOn && wasHidden && !isHidden) bus.emit("message", HIDDEN);
    wasHidden = isHidden;
  });
}

const HIDDEN = {
  id: "clip",
  tone: "info",
  title: "The clip goes on",
  text: "Browsers stop the camera's pictures in a hidden tab, so that time is not in it.",
  lastsMs: 8000,
};

const emptyMessage = () => ({
  id: "clip",
  tone: "error",
  title: "No clip was recorded",
  text: "The browser gave no video. Record again; where that fails too, take another browser.",
});

function savedMessage({ name, seconds, reason, bytes }) {
  const size = `${formatDuration(seconds)}, ${formatBytes(bytes)}`;
  const text = `${REASONS[reason]}${name} (${size}) is in your downloads, and nowhere else.`;
  return { id: "clip", tone: "info", title: "Clip saved", text, lastsMs: 12_000 };
}

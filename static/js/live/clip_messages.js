/** Saves a clip that has ended, and tells a person why it ended and where it is. */
import { formatBytes, formatDuration, momentName } from "../shared/format.js";
import { MAX_CLIP_S } from "./clip.js";
import { t } from "../shared/words.js";

const REASONS = {
  asked: "",
  time: t("It ended by itself: {minutes} minutes are the longest.", { minutes: MAX_CLIP_S / 60 }),
  size: t("It ended by itself: a longer one would not fit into the browser's memory."),
  stream: t("It ended with the picture."),
  error: t("It ended early: the browser could not go on recording."),
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
  title: t("The clip goes on"),
  text: t("Browsers stop the camera's pictures in a hidden tab, so that time is not in it."),
  lastsMs: 8000,
};

const emptyMessage = () => ({
  id: "clip",
  tone: "error",
  title: t("No clip was recorded"),
  text: t("The browser gave no video. Record again; where that fails too, take another browser."),
});

function savedMessage({ name, seconds, reason, bytes }) {
  const size = `${formatDuration(seconds)}, ${formatBytes(bytes)}`;
  const place = t("{name} ({size}) is in your downloads, and nowhere else.", { name, size });
  const text = `${REASONS[reason]} ${place}`.trim();
  return { id: "clip", tone: "info", title: t("Clip saved"), text, lastsMs: 12_000 };
}

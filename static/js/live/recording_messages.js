/** Tells a person when a recording has a problem, when it is over, and what a hidden tab missed. */
import { formatDuration } from "../shared/format.js";
import { serverText } from "../shared/server_errors.js";
import { t } from "../shared/words.js";

/** @param {import("../shared/event_bus.js").EventBus} bus */
export function tellRecording(bus) {
  bus.on("recording-changed", ({ state, problem }) => {
    if (problem) bus.emit("message", problemMessage(problem));
    else if (state === "recording" || state === "off")
      bus.emit("message-cleared", { id: "recording" });
  });
  tellHiddenTime(bus);
}

/** On return, because nobody saw it then. */
function tellHiddenTime(bus) {
  let since = null;
  bus.on("recording-changed", ({ hindrance, storedS, isLive }) => {
    if (hindrance === "tab") since ??= storedS;
    else if (since !== null) {
      const text =
        t(
          "Browsers stop the camera's pictures in a hidden tab: the recording has a gap after {time}.",
          {
            time: formatDuration(since),
          },
        ) +
        " " +
        t("Keep this page in a window of its own to record beside other work.");
      since = null;
      if (isLive)
        bus.emit("message", { id: "hidden", tone: "warning", title: t("Recording paused"), text });
    }
  });
}

/** @param {import("../shared/protocol.js").WireError} problem */
export function problemMessage({ code, message, retryable }) {
  const title = retryable ? t("The recording waits") : t("The recording stopped");
  const text = `${serverText({ code, message })} ${t("The live view goes on.")}`;
  return { id: "recording", tone: retryable ? "warning" : "error", title, text };
}

/** Tells a person when a recording has a problem, and when the problem is over. */

/** @param {import("../shared/event_bus.js").EventBus} bus */
export function tellRecording(bus) {
  bus.on("recording-changed", ({ state, problem }) => {
    if (problem) bus.emit("message", problemMessage(problem));
    else if (state === "recording" || state === "off")
      bus.emit("message-cleared", { id: "recording" });
  });
}

/** @param {import("../shared/protocol.js").WireError} problem */
export function problemMessage({ message, retryable }) {
  const title = retryable ? "The recording waits" : "The recording stopped";
  const text = `${message} The live view goes on.`;
  return { id: "recording", tone: retryable ? "warning" : "error", title, text };
}

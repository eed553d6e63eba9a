/** Says which connection states and refusals a person is told of, and in which words. */
import { serverText } from "./server_errors.js";
import { t } from "./words.js";

/** A lost packet mends itself; only a lasting trouble is worth a line. */
const REFUSALS_TOLD_EVERY_MS = 3000;

/** @param {import("./event_bus.js").EventBus} bus @param {() => number} now milliseconds */
export function tellConnection(bus, now) {
  bus.on("connection-changed", (change) => tellState(bus, change));
  bus.on("goodbye", (reason) => bus.emit("message", goodbyeMessage(reason)));
  let toldMs = -Infinity;
  bus.on("frame-refused", ({ error }) => {
    if (now() - toldMs < REFUSALS_TOLD_EVERY_MS) return;
    toldMs = now();
    bus.emit("message", { ...refusalMessage(error), lastsMs: 6000 });
  });
}

/** @param {{code: string, message: string, retryable: boolean}} error */
export function refusalMessage({ code, message, retryable }) {
  const title = retryable ? t("The server skipped a frame") : t("The server refused a frame");
  return {
    id: "refused",
    tone: retryable ? "warning" : "error",
    title,
    text: serverText({ code, message }),
  };
}

/**
 * A line of its own: the page may be connected again before anyone has read why it was not.
 *
 * @param {{code?: string, message: string}} reason
 */
export function goodbyeMessage(reason) {
  return {
    id: "goodbye",
    tone: "error",
    title: t("The server ended the connection"),
    text: serverText(reason),
    lastsMs: 15_000,
  };
}

/**
 * @param {{state: string, message: string, hasFailed: boolean}} change
 * @returns {object | null} null: nothing to tell
 */
export function connectionMessage({ state, message, hasFailed }) {
  if (state === "reconnecting") {
    const text =
      message || t("The server does not answer. The page goes on by itself when it is back.");
    return { id: "connection", tone: "warning", title: t("Reconnecting…"), text };
  }
  if (state === "moving") {
    const text = t("This page goes on at another server, with the same recording.");
    return { id: "connection", tone: "info", title: t("One moment"), text };
  }
  if (state === "connecting" && hasFailed) {
    const text = t("The page was loaded, but the live connection does not come up. Still trying.");
    return { id: "connection", tone: "warning", title: t("Connecting…"), text };
  }
  if (state === "closed") {
    const text = message || t("The server ended the connection.");
    const action = { label: t("Connect again"), request: "reconnect" };
    return { id: "connection", tone: "error", title: t("Disconnected"), text, action };
  }
  return null;
}

function tellState(bus, change) {
  const message = connectionMessage(change);
  if (message) bus.emit("message", message);
  // The stage itself says why it is over.
  else if (["connected", "over"].includes(change.state))
    bus.emit("message-cleared", { id: "connection" });
}

/**
 * Names everything that can go wrong with a camera, and says what to do about it.
 *
 * @typedef {"denied" | "denied_by_system" | "none_found" | "busy" | "insecure" | "unsupported" |
 *   "overconstrained" | "ended" | "film" | "unknown"} CameraErrorKind
 */
import { t } from "./words.js";
export class CameraError extends Error {
  name = "CameraError";

  /** @param {CameraErrorKind} kind @param {unknown} [cause] */
  constructor(kind, cause) {
    super(CAMERA_PROBLEMS[kind].title, { cause });
    this.kind = kind;
  }
}

/**
 * @type {Readonly<Record<CameraErrorKind, {title: string, text: string, steps: readonly
 *   string[]}>>}
 */
export const CAMERA_PROBLEMS = Object.freeze({
  denied: {
    title: t("Camera access is blocked"),
    text: t("The browser was told not to give this page the camera."),
    steps: [
      t("Open the site settings: the icon at the left of the address."),
      t("Set Camera to Allow, then try again."),
    ],
  },
  denied_by_system: {
    title: t("The system blocks the camera"),
    text: t("The browser may ask, but the operating system does not let the browser use a camera."),
    steps: [
      t("Open the system settings, Privacy, Camera."),
      t("Allow the camera for this browser, restart the browser if asked, then try again."),
    ],
  },
  none_found: {
    title: t("No camera found"),
    text: t("This device has no camera that the browser can see."),
    steps: [
      t("Plug one in, or switch it on: some laptops have a key or a slider for it."),
      t("Then try again, or try it with a film in place of the camera."),
    ],
  },
  busy: {
    title: t("The camera is in use"),
    text: t("Another program or browser tab holds the camera, or its driver failed."),
    steps: [
      t("Close video calls and other tabs that use the camera."),
      t("Then try again. If it still fails, unplug it and plug it in."),
    ],
  },
  insecure: {
    title: t("This address is not secure, so there is no camera"),
    text: t("Browsers give the camera only to pages opened over https or from this same computer."),
    steps: [
      t(
        "On the computer that runs the server, open this page with localhost in place of the number in the address.",
      ),
      t(
        "On another device, the camera needs an https address: ask whoever runs the server for one.",
      ),
    ],
  },
  unsupported: {
    title: t("This browser cannot use a camera"),
    text: t(
      "It lacks the functions that the page needs, or it is an in-app browser that hides them.",
    ),
    steps: [t("Open this page in a current Chrome, Edge, Firefox or Safari.")],
  },
  overconstrained: {
    title: t("The camera offers no usable picture size"),
    text: t("None of the sizes that the page can work with is supported by this camera."),
    steps: [t("Choose another camera, then try again.")],
  },
  ended: {
    title: t("The camera stopped"),
    text: t("It was unplugged, switched off, or its permission was taken back."),
    steps: [t("Connect it again or choose another camera, then try again.")],
  },
  film: {
    title: t("The film could not be played"),
    text: t("The server did not send it, or this browser plays no WebM films."),
    steps: [t("Start the camera instead, or open this page in a current Chrome, Edge or Firefox.")],
  },
  unknown: {
    title: t("The camera could not be started"),
    text: t("The browser gave no reason that this page knows."),
    steps: [t("Try again. If it still fails, restart the browser.")],
  },
});

const KIND_BY_NAME = {
  NotAllowedError: "denied",
  PermissionDeniedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none_found",
  DevicesNotFoundError: "none_found",
  NotReadableError: "busy",
  TrackStartError: "busy",
  AbortError: "busy",
  OverconstrainedError: "overconstrained",
  ConstraintNotSatisfiedError: "overconstrained",
  NotSupportedError: "unsupported",
  TypeError: "unsupported",
};

/**
 * @param {any} error from getUserMedia
 * @returns {CameraErrorKind}
 */
export function cameraErrorKind(error) {
  if (error instanceof CameraError) return error.kind;
  const kind = KIND_BY_NAME[error?.name] ?? "unknown";
  // Chromium tells the two refusals apart only in the text.
  if (kind === "denied" && /by system/i.test(error.message ?? "")) return "denied_by_system";
  return kind;
}

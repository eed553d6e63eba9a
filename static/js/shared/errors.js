/**
 * Names everything that can go wrong with a camera, and says what to do about it.
 *
 * @typedef {"denied" | "denied_by_system" | "none_found" | "busy" | "insecure" | "unsupported" |
 *   "overconstrained" | "ended" | "film" | "unknown"} CameraErrorKind
 */
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
    title: "Camera access is blocked",
    text: "The browser was told not to give this page the camera.",
    steps: [
      "Open the site settings: the icon at the left of the address.",
      "Set Camera to Allow, then try again.",
    ],
  },
  denied_by_system: {
    title: "The system blocks the camera",
    text: "The browser may ask, but the operating system does not let the browser use a camera.",
    steps: [
      "Open the system settings, Privacy, Camera.",
      "Allow the camera for this browser, restart the browser if asked, then try again.",
    ],
  },
  none_found: {
    title: "No camera found",
    text: "This device has no camera that the browser can see.",
    steps: [
      "Plug one in, or switch it on: some laptops have a key or a slider for it.",
      "Then try again, or try it with a film in place of the camera.",
    ],
  },
  busy: {
    title: "The camera is in use",
    text: "Another program or browser tab holds the camera, or its driver failed.",
    steps: [
      "Close video calls and other tabs that use the camera.",
      "Then try again. If it still fails, unplug it and plug it in.",
    ],
  },
  insecure: {
    title: "This address is not secure, so there is no camera",
    text: "Browsers give the camera only to pages opened over https or from this same computer.",
    steps: [
      "On the computer that runs the server, open this page with localhost in place of the number in the address.",
      "On another device, the camera needs an https address: ask whoever runs the server for one.",
    ],
  },
  unsupported: {
    title: "This browser cannot use a camera",
    text: "It lacks the functions that the page needs, or it is an in-app browser that hides them.",
    steps: ["Open this page in a current Chrome, Edge, Firefox or Safari."],
  },
  overconstrained: {
    title: "The camera offers no usable picture size",
    text: "None of the sizes that the page can work with is supported by this camera.",
    steps: ["Choose another camera, then try again."],
  },
  ended: {
    title: "The camera stopped",
    text: "It was unplugged, switched off, or its permission was taken back.",
    steps: ["Connect it again or choose another camera, then try again."],
  },
  film: {
    title: "The film could not be played",
    text: "The server did not send it, or this browser plays no WebM films.",
    steps: ["Start the camera instead, or open this page in a current Chrome, Edge or Firefox."],
  },
  unknown: {
    title: "The camera could not be started",
    text: "The browser gave no reason that this page knows.",
    steps: ["Try again. If it still fails, restart the browser."],
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

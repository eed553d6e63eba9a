/** Opens the camera, names its failures, and notices when it goes. */
import { CameraError, cameraErrorKind } from "../shared/errors.js";

const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

export class Camera {
  #mediaDevices;
  #isSecureContext;
  #stream = null;
  #turn = 0;

  /** @param {{mediaDevices: MediaDevices | undefined, isSecureContext: boolean}} platform */
  constructor({ mediaDevices, isSecureContext }) {
    this.#mediaDevices = mediaDevices;
    this.#isSecureContext = isSecureContext;
  }

  /** @returns {string} of the open camera, "" when there is none */
  get deviceId() {
    return this.#track?.getSettings().deviceId ?? "";
  }

  /** False only for a camera that says that it looks away from the user. */
  get isUserFacing() {
    return this.#track?.getSettings().facingMode !== "environment";
  }

  /**
   * @param {{deviceId: string, onEnded: () => void}} options deviceId "": whichever faces the user
   * @returns {Promise<MediaStream | null>} null when closed or opened anew before the browser
   *   answered
   * @throws {CameraError}
   */
  async open({ deviceId, onEnded }) {
    this.close();
    if (!this.#isSecureContext) throw new CameraError("insecure");
    if (!this.#mediaDevices?.getUserMedia) throw new CameraError("unsupported");
    const turn = this.#turn;
    const stream = await this.#request(deviceId);
    if (turn !== this.#turn) {
      stopTracks(stream);
      return null;
    }
    this.#stream = stream;
    this.#track.addEventListener("ended", onEnded, { once: true });
    return this.#stream;
  }

  close() {
    this.#turn += 1;
    if (this.#stream) stopTracks(this.#stream);
    this.#stream = null;
  }

  /**
   * @returns {Promise<{deviceId: string, label: string}[]>} without names before the permission is
   *   given
   */
  async list() {
    if (!this.#mediaDevices?.enumerateDevices) return [];
    const devices = await this.#mediaDevices.enumerateDevices();
    const cameras = devices.filter((device) => device.kind === "videoinput" && device.deviceId);
    return cameras.map(({ deviceId, label }, i) => ({
      deviceId,
      label: label || `Camera ${i + 1}`,
    }));
  }

  /** @param {() => void} handler @param {{signal: AbortSignal}} options */
  onDevicesChanged(handler, { signal }) {
    this.#mediaDevices?.addEventListener?.("devicechange", handler, { signal });
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  /** From what we would like to whatever there is. */
  async #request(deviceId) {
    const choice = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: "user" };
    let kind;
    let cause;
    for (const video of [{ ...SIZE, ...choice }, deviceId ? { deviceId } : true, true]) {
      try {
        return await this.#mediaDevices.getUserMedia({ video, audio: false });
      } catch (error) {
        kind = cameraErrorKind(error);
        cause = error;
        if (kind !== "overconstrained") break;
      }
    }
    throw new CameraError(kind, cause);
  }
}

// stop() fires no "ended" event: that one means the camera went by itself.
function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

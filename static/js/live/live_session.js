/** Keeps one run from Start to Stop in step: camera or film, clock, pump and the server's stream. */
import { CAMERA_PROBLEMS, CameraError } from "../shared/errors.js";

export class LiveSession {
  #deps;
  #state = "idle";
  #deviceId;
  #isFilm = false;
  #isPaused = false;
  #attempt = 0;
  #farewell = null;

  /**
   * @param {object} deps
   * @param {import("./camera.js").Camera} deps.camera
   * @param {import("./film.js").Film} deps.film
   * @param {import("./video_clock.js").VideoClock} deps.clock
   * @param {import("./frame_pump.js").FramePump} deps.pump
   * @param {import("../shared/socket_client.js").SocketClient} deps.socket
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {string} deps.deviceId of the camera to begin with, "" for whichever faces the user
   */
  constructor({ deviceId, ...deps }) {
    this.#deps = deps;
    this.#deviceId = deviceId;
  }

  get isActive() {
    return this.#state === "starting" || this.#state === "live";
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** Whether end() was called. */
  get isOver() {
    return this.#farewell !== null;
  }

  /** @param {{isFilm?: boolean}} [options] isFilm: the film plays, and the camera stays off */
  async start({ isFilm = false } = {}) {
    if (this.isOver) return;
    const attempt = ++this.#attempt;
    const { clock, pump, socket } = this.#deps;
    this.#isFilm = isFilm;
    this.#become("starting");
    socket.connect();
    try {
      const source = await (isFilm ? this.#openFilm() : this.#openCamera());
      // Stop, or another camera, was chosen while the browser asked for the permission.
      if (!source || attempt !== this.#attempt) return;
      clock.start();
      pump.start();
      this.#become("live", source);
    } catch (error) {
      if (attempt === this.#attempt)
        this.#fail(error instanceof CameraError ? error.kind : "unknown");
    }
    // Only now the browser tells the cameras' names; after a failure another one may be chosen.
    await this.refreshCameras();
  }

  async #openCamera() {
    const { camera } = this.#deps;
    const onEnded = () => this.#fail("ended");
    const stream = await camera.open({ deviceId: this.#deviceId, onEnded });
    return stream && { stream, isUserFacing: camera.isUserFacing };
  }

  async #openFilm() {
    return (await this.#deps.film.open()) ? { stream: null, isUserFacing: false } : null;
  }

  stop() {
    this.#attempt += 1;
    this.#halt();
    this.#become("idle");
  }

  /**
   * The picture and its faces stay as they are; camera, stream and recording wait, and go on.
   *
   * @param {boolean} isPaused
   */
  pause(isPaused) {
    if (this.#state !== "live" || isPaused === this.#isPaused) return;
    const { clock, pump } = this.#deps;
    for (const part of [clock, pump]) isPaused ? part.stop() : part.start();
    this.#tellPause(isPaused);
  }

  #tellPause(isPaused) {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#deps.bus.emit("pause-changed", { isPaused });
  }

  /**
   * The server will not have us any more: the camera goes off for good.
   *
   * @param {object} problem see goodbyes.js
   */
  end(problem) {
    this.#farewell = problem;
    this.#attempt += 1;
    this.#halt();
    this.#become("problem", { problem });
  }

  /** @param {string} deviceId */
  async selectCamera(deviceId) {
    this.#deviceId = deviceId;
    // The film goes on: only Start asks whether the camera may begin.
    if (!this.isActive || this.#isFilm) return;
    this.#halt();
    await this.start();
  }

  async refreshCameras() {
    const { camera, bus } = this.#deps;
    bus.emit("cameras-changed", {
      cameras: await camera.list(),
      selectedId: camera.deviceId || this.#deviceId,
    });
  }

  #fail(kind) {
    this.#attempt += 1;
    this.#halt();
    this.#become("problem", { problem: { kind, ...CAMERA_PROBLEMS[kind] } });
  }

  #halt() {
    const { camera, film, clock, pump, socket } = this.#deps;
    clock.stop();
    pump.stop();
    camera.close();
    film.close();
    socket.sendStop();
  }

  #become(state, { stream = null, isUserFacing = true, problem = null } = {}) {
    this.#state = state;
    this.#tellPause(false);
    const isFilm = this.#isFilm && this.isActive;
    this.#deps.bus.emit("session-changed", { state, stream, isFilm, isUserFacing, problem });
  }
}

/** Keeps the Socket.IO connection. `io` is passed in, so that tests need no network. */
import { goodbyeOf } from "./goodbyes.js";
import { parseError, parseSaved, parseWatched } from "./protocol.js";
import { sitePath } from "./site_path.js";
import { t } from "./words.js";

/** A page that is asked to go to another server does so within this. */
const MOVE_MS = 300;

export class AckTimeoutError extends Error {
  name = "AckTimeoutError";
}

export class DisconnectedError extends Error {
  name = "DisconnectedError";
}

export class SocketClient {
  #socket;
  #bus;
  #ackTimeoutMs;
  #wasConnected = false;
  #closing = null;
  #isOver = false;
  #isMoving = false;
  #goodbye;
  #later;
  #random;

  /**
   * @param {(namespace: string, options: object) => any} io of socket.io-client
   * @param {{bus: import("./event_bus.js").EventBus, ackTimeoutMs: number, namespace?: string,
   *   goodbye?: typeof goodbyeOf, later?: (act: () => void, ms: number) => void,
   *   random?: () => number}} deps goodbye: which reasons are final
   */
  constructor(
    io,
    {
      bus,
      ackTimeoutMs,
      namespace = "/",
      goodbye = goodbyeOf,
      later = setTimeout,
      random = Math.random,
    },
  ) {
    this.#goodbye = goodbye;
    this.#later = (act, ms) => later(act, ms);
    this.#random = random;
    this.#bus = bus;
    this.#ackTimeoutMs = ackTimeoutMs;
    this.#socket = io(namespace, {
      path: sitePath("/socket.io/"),
      autoConnect: false,
      transports: ["websocket", "polling"],
      // Without this a blocked WebSocket would be tried for ever and polling never.
      tryAllTransports: true,
      reconnectionDelay: 500,
      reconnectionDelayMax: 5000,
      timeout: 8000,
    });
    this.#socket.on("connect", () => this.#onConnect());
    this.#socket.on("disconnect", (reason) => this.#onDisconnect(reason));
    this.#socket.on("connect_error", (error) => this.#onConnectError(error));
    this.#socket.on("closing", (raw) => this.#onClosing(raw));
    this.hear("saved", "recording-saved", parseSaved);
    this.hear("recording_problem", "recording-problem", parseError);
    this.hear("watched", "watched-changed", parseWatched);
    bus.signal.addEventListener("abort", () => this.#socket.disconnect(), { once: true });
  }

  /**
   * Passes what the server says on to the bus, once it is checked.
   *
   * @param {string} event of the server
   * @param {string} type on the bus
   * @param {(...raw: unknown[]) => object} parse throws a ProtocolError
   */
  hear(event, type, parse) {
    this.#socket.on(event, (...raw) => this.#tellParsed(type, parse, raw));
  }

  get isConnected() {
    return this.#socket.connected;
  }

  /** Does nothing while the socket is connected or on its way: see `active`. */
  connect() {
    // Asked again between the transport's opening and the server's answer, socket.io-client
    // introduces itself a second time; the server refuses that, and the connection is over (Start
    // pressed while the page still connects).
    if (this.#socket.active || this.#isOver) return;
    this.#closing = null;
    this.#tell(this.#wasConnected ? "reconnecting" : "connecting");
    this.#socket.connect();
  }

  /**
   * @param {{seq: number, captured_ms: number}} header
   * @param {ArrayBuffer} bytes JPEG
   * @returns {Promise<unknown>} the raw answer
   */
  sendFrame(header, bytes) {
    return this.#request("frame", header, bytes);
  }

  /**
   * @param {string} event
   * @param {object} payload
   * @returns {Promise<unknown>} the raw answer
   */
  ask(event, payload) {
    return this.#request(event, payload);
  }

  #request(event, ...payload) {
    // While disconnected socket.io-client keeps what is emitted and sends it later; a late frame is
    // worthless. Its "volatile" flag does not fit: it also drops, without a word, while the last
    // packet is being written.
    if (!this.#socket.connected)
      return Promise.reject(new DisconnectedError("The server is not connected."));
    return new Promise((resolve, reject) => {
      const answered = (error, ack) => {
        if (!error) resolve(ack);
        else if (this.#socket.connected)
          reject(new AckTimeoutError("The server did not answer in time."));
        else reject(new DisconnectedError("The connection was lost."));
      };
      this.#socket.timeout(this.#ackTimeoutMs).emit(event, ...payload, answered);
    });
  }

  /** Lets the server forget this stream's faces. */
  sendStop() {
    if (this.#socket.connected) this.#socket.emit("stop", {});
  }

  #onConnect() {
    this.#wasConnected = true;
    this.#isMoving = false;
    this.#closing = null;
    this.#tell("connected");
  }

  #onDisconnect(reason) {
    if (this.#isOver) return;
    if (reason === "io client disconnect") return this.#tell("closed");
    if (this.#isMoving) return this.#move();
    // After the server's own goodbye socket.io-client does not come back by itself.
    if (reason === "io server disconnect") return this.#tell("closed", this.#closing?.message);
    this.#tell("reconnecting", this.#closing?.message);
  }

  /** One server of several ends: another one takes us, and nobody has to be told of trouble. */
  #move() {
    this.#tell("moving");
    // All pages of that server come at once, so not all in the same moment.
    this.#later(() => !this.#socket.connected && this.#socket.connect(), this.#random() * MOVE_MS);
  }

  #onConnectError(error) {
    this.#isMoving = false;
    if (this.#part(error?.data)) return;
    // socket.active is false when the server refused us, which trying again does not mend.
    if (this.#socket.active)
      this.#tell(this.#wasConnected ? "reconnecting" : "connecting", "", true);
    else this.#tell("closed", error?.message);
  }

  #onClosing(raw) {
    try {
      this.#closing = parseError(raw);
    } catch {
      this.#closing = null;
      return;
    }
    this.#isMoving = this.#closing.code === "moving";
    if (this.#isMoving) return;
    if (!this.#part(this.#closing)) this.#bus.emit("goodbye", this.#closing);
  }

  /** Where the server will not have us again, socket.io-client must not go on trying. */
  #part(reason) {
    const problem = this.#goodbye(reason);
    if (!problem || this.#isOver) return problem !== null;
    this.#isOver = true;
    this.#tell("over");
    this.#bus.emit("farewell", { problem });
    this.#socket.disconnect();
    return true;
  }

  #tellParsed(type, parse, raw) {
    let detail;
    try {
      detail = parse(...raw);
    } catch (error) {
      const title = t("The server's message could not be read");
      return this.#bus.emit("message", {
        id: "unreadable",
        tone: "warning",
        title,
        text: error.message,
        lastsMs: 8000,
      });
    }
    return this.#bus.emit(type, detail);
  }

  #tell(state, message = "", hasFailed = false) {
    this.#bus.emit("connection-changed", { state, message, hasFailed });
  }
}

/** Shows the state of the connection in the header. */
const TEXTS = {
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  closed: "Disconnected",
  over: "Ended",
};

export class ConnectionView {
  /**
   * @param {{pill: HTMLElement, text: HTMLElement}} elements
   * @param {import("../event_bus.js").EventBus} bus
   */
  constructor({ pill, text }, bus) {
    bus.on("connection-changed", ({ state }) => {
      pill.dataset.state = state;
      text.textContent = TEXTS[state];
    });
  }
}

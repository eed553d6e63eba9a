/** Shows the state of the connection in the header. */
import { t } from "../words.js";
const TEXTS = {
  connecting: t("Connecting"),
  connected: t("Connected"),
  reconnecting: t("Reconnecting"),
  moving: t("One moment"),
  closed: t("Disconnected"),
  over: t("Ended"),
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

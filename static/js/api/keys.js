/** Asks the server for the host's keys, and tells what there is. */
import { serverText } from "../shared/server_errors.js";
import { t } from "../shared/words.js";

export class Keys {
  #api;
  #bus;

  /**
   * @param {{api: import("./keys_api.js").KeysApi, bus: import("../shared/event_bus.js").EventBus}}
   *   parts bus: emits keys-changed {keys}, key-created {key}, keys-failed {text}
   */
  constructor({ api, bus }) {
    this.#api = api;
    this.#bus = bus;
  }

  load() {
    return this.#told(async () => this.#bus.emit("keys-changed", { keys: await this.#api.list() }));
  }

  /** @param {string} name */
  create(name) {
    return this.#told(async () => {
      this.#bus.emit("key-created", { key: await this.#api.create(name) });
      await this.load();
    });
  }

  /** @param {import("./keys_api.js").ApiKey} key */
  revoke({ id }) {
    return this.#told(async () => {
      await this.#api.revoke(id);
      await this.load();
    });
  }

  async #told(act) {
    try {
      await act();
    } catch (error) {
      this.#bus.emit("keys-failed", { text: serverText(error) });
    }
  }
}

/** @param {import("./keys_api.js").ApiKey} key */
export const revokeKeyQuestion = ({ name }) => ({
  title: t("Revoke “{name}”?", { name }),
  text: t("Programs with this key are refused from now on. What they made stays."),
  label: t("Revoke"),
});

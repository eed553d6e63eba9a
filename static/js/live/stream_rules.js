/**
 * Keeps the rules of this page in this browser, lets the server evaluate them, and says when one
 * fires.
 *
 * Emits: rules-changed {rules, canSend}; rule-sound-wanted; marker-placed {marker}; message.
 *
 * @typedef {object} Rule
 * @property {string} when one of WHEN in rule_texts.js
 * @property {number} for_s seconds
 * @property {number} people at least
 * @property {string[]} effects some of EFFECTS in rule_texts.js
 */
import { parseRulesAck } from "../shared/protocol.js";
import { t } from "../shared/words.js";
import { MAX_RULES, NEW_RULE, readRules, ruleTitle } from "./rule_texts.js";

const STORED = "rules";
const LASTS_MS = 4000;

export class StreamRules {
  #deps;
  /** @type {Rule[]} */
  #rules;
  #canSend = false;

  /**
   * @param {object} deps
   * @param {{ask: (event: string, payload: object) => Promise<unknown>}} deps.socket
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {import("../shared/preferences.js").Preferences} deps.preferences
   */
  constructor(deps) {
    this.#deps = deps;
    this.#rules = readRules(deps.preferences.get(STORED));
    const { bus } = deps;
    bus.on("connection-changed", ({ state }) => state === "connected" && this.#send());
    bus.on("rule-added", () => this.#set([...this.#rules, NEW_RULE].slice(0, MAX_RULES)));
    bus.on("rule-edited", ({ index, rule }) =>
      this.#set(this.#rules.map((old, i) => (i === index ? rule : old))),
    );
    bus.on("rule-removed", ({ index }) => this.#set(this.#rules.filter((_, i) => i !== index)));
    bus.on("rule-fired", (fired) => this.#fired(fired));
  }

  tell() {
    this.#deps.bus.emit("rules-changed", { rules: this.#rules, canSend: this.#canSend });
  }

  #set(rules) {
    this.#rules = rules;
    this.#deps.preferences.set(STORED, JSON.stringify(rules));
    this.tell();
    void this.#send();
  }

  async #send() {
    const { socket, bus } = this.#deps;
    const rules = this.#rules.map((rule) => ({ ...rule, name: ruleTitle(rule) }));
    try {
      const { sends } = parseRulesAck(await socket.ask("rules", { rules }));
      if (sends !== this.#canSend) {
        this.#canSend = sends;
        this.tell();
      }
    } catch (error) {
      // With the next connection they are sent again.
      if (["DisconnectedError", "AckTimeoutError"].includes(error.name)) return;
      const title = t("The rules do not work");
      bus.emit("message", { id: "rules", tone: "error", title, text: error.message });
    }
  }

  /** What is heard can be read too. */
  #fired({ rule, hasSound }) {
    if (!hasSound) return;
    const { bus } = this.#deps;
    bus.emit("rule-sound-wanted");
    bus.emit("message", { id: "rule", tone: "info", title: rule, lastsMs: LASTS_MS });
  }
}

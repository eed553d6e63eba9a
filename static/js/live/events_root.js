/** Builds what the live page has of events: rules, their sound, and how receivers do. */
import { JsonRequests } from "../shared/json_requests.js";
import { find } from "../shared/page.js";
import { parseFired, parseMarked } from "../shared/protocol.js";
import { ReceiverStates } from "./receiver_states.js";
import { StreamRules } from "./stream_rules.js";
import { ReceiverListView } from "./views/receiver_list.js";
import { RuleEditorView } from "./views/rule_editor.js";

/**
 * @param {import("../shared/event_bus.js").EventBus} bus
 * @param {object} deps
 * @param {import("../shared/socket_client.js").SocketClient} deps.socket
 * @param {import("../shared/preferences.js").Preferences} deps.preferences
 * @param {typeof globalThis.fetch} deps.fetch
 * @param {import("./label_sound.js").LabelSound} deps.sound
 */
export function buildEvents(bus, { socket, preferences, fetch, sound }) {
  const template = (id) => /** @type {HTMLTemplateElement} */ (find(id));
  new RuleEditorView(
    { list: find("rules"), template: template("rule-template"), add: find("rule-add") },
    bus,
  );
  const receivers = { section: find("receivers-section"), list: find("receivers") };
  new ReceiverListView({ ...receivers, template: template("receiver-template") }, bus);
  new ReceiverStates({ requests: new JsonRequests(fetch), bus });
  socket.hear("rule", "rule-fired", parseFired);
  socket.hear("marked", "marker-placed", parseMarked);
  bus.on("rule-sound-wanted", () => sound.ring());
  new StreamRules({ socket, bus, preferences }).tell();
}

/**
 * Composition root of the watch page: finds the elements, builds services and views, and wires
 * them.
 */
import { io } from "/vendor/socket.io.esm.min.js";

import { find, openPage, optionsText, tellLoaded } from "../shared/page.js";
import { tellConnection } from "../shared/connection_messages.js";
import { SHOWN, SHOWN_AT_FIRST, linkMessage, readLink } from "../shared/link_settings.js";
import { Moods } from "../shared/moods.js";
import { parseOptions } from "../shared/options.js";
import { parseWatchState, parseWatchView } from "../shared/protocol.js";
import { SocketClient } from "../shared/socket_client.js";
import { ExpressionAnnouncerView } from "../shared/views/expression_announcer.js";
import { CircumplexView } from "../shared/views/circumplex.js";
import { ConnectionView } from "../shared/views/connection.js";
import { FacesView } from "../shared/views/faces.js";
import { LargeBarsView } from "../shared/views/large_bars.js";
import { OverlayView } from "../shared/views/overlay.js";
import { PresentationView } from "../shared/views/presentation.js";
import { WakeLock, keepAwake } from "../shared/wake_lock.js";
import { WatchFactsView } from "./views/watch_facts.js";
import { WatchKeysView } from "./views/watch_keys.js";
import { MinuteView } from "./views/minute.js";
import { WatchStageView } from "./views/watch_stage.js";
import { WatchSession } from "./watch_session.js";
import { t } from "../shared/words.js";

const TICK_MS = 500;

const now = () => performance.now();

const { bus, preferences } = openPage();
const options = parseOptions(optionsText());
const session = new WatchSession({ bus, decode, now });

buildViews();
wire(new SocketClient(io, { bus, ackTimeoutMs: options.ackTimeoutMs, namespace: "/watch" }));
tellLoaded();

/** Off the main thread; the browser's own decoder keeps a bad picture out. */
function decode(jpeg) {
  return createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
}

function buildViews() {
  const picture = find("picture");
  new ConnectionView({ pill: find("connection"), text: find("connection-text") }, bus);
  new WatchStageView(
    {
      stage: find("stage"),
      picture,
      title: find("note-title"),
      text: find("note-text"),
      steps: find("note-steps"),
    },
    bus,
  );
  new OverlayView({ canvas: find("overlay") }, bus, () => ({
    width: picture.width,
    height: picture.height,
  }));
  const faces = {
    list: find("faces"),
    count: find("face-count"),
    legend: find("legend"),
    hint: find("no-face"),
  };
  new FacesView({ ...faces, template: find("face-card-template") }, bus, options.emotions);
  new MinuteView({ canvas: find("minute"), words: find("minute-words") }, bus, options.emotions);
  const facts = { people: find("people"), watchers: find("watchers"), video: find("video-shared") };
  new WatchFactsView(
    { bar: find("facts"), name: find("link-name"), state: find("watch-state"), ...facts },
    bus,
  );
  const affect = { card: find("circumplex"), canvas: find("circumplex-canvas") };
  new CircumplexView({ ...affect, mood: find("mood-all") }, bus, now);
  new LargeBarsView({ list: find("large-bars") }, bus, { emotions: options.emotions, now });
  const shown = { shell: find("shell"), bars: [find("facts")], fullscreen: find("fullscreen") };
  new PresentationView(shown, bus, document);
  new WatchKeysView({ page: document, fullscreen: find("fullscreen") }, bus, preferences);
  new ExpressionAnnouncerView({ region: find("announcer") }, bus);
  showAsTold();
}

/** What the link says: which parts are shown, and mirrored or as others stand before the camera. */
function showAsTold() {
  const offered = SHOWN.filter((part) => part !== "heatmap");
  const { values, problems } = readLink(location.search, { names: ["show", "mirror"], offered });
  bus.emit("show-changed", { show: values.show ?? SHOWN_AT_FIRST });
  bus.emit("mirror-changed", { isMirrored: values.mirror ?? false });
  if (problems.length > 0) bus.emit("message", linkMessage(problems));
}

function wire(socket) {
  new Moods({ bus, now, emotions: options.emotions });
  socket.hear("state", "watch-state", parseWatchState);
  socket.hear("view", "watch-view", (raw, jpeg) => parseWatchView(raw, jpeg, options.emotions));
  bus.on("watch-state", (state) => session.stateCame(state));
  bus.on("watch-view", (view) => session.viewCame(view));
  // The words for the live page speak of a camera.
  bus.on("farewell", ({ problem }) =>
    session.end({ ...problem, text: t("Nothing is shown here any more.") }),
  );
  bus.on("connection-changed", (change) => session.connectionChanged(change));
  bus.on("reconnect-requested", () => socket.connect());
  const timer = setInterval(() => session.tick(), TICK_MS);
  bus.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  keepAwake(new WakeLock(navigator.wakeLock), document, bus);
  tellConnection(bus, now);
  socket.connect();
}

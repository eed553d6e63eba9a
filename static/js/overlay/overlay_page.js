/**
 * Composition root of the overlay: a stream's boxes, labels and bars on no ground, for programs such
 * as OBS that lay the page over their own picture. Whatever goes wrong, it shows nothing, and goes
 * on trying.
 */
import { io } from "/vendor/socket.io.esm.min.js";

import { find, optionsText } from "../shared/page.js";
import { EventBus } from "../shared/event_bus.js";
import { parseOptions } from "../shared/options.js";
import { parseWatchState, parseWatchView } from "../shared/protocol.js";
import { SocketClient } from "../shared/socket_client.js";
import { LargeBarsView } from "../shared/views/large_bars.js";
import { OverlayView } from "../shared/views/overlay.js";
import { WatchSession } from "../watch/watch_session.js";
import { parseOverlayQuery } from "./overlay_query.js";

const TICK_MS = 500;
/** After a refusal, which may hold for long: nobody sits in front of this page. */
const RETRY_MS = 10_000;

const now = () => performance.now();

const bus = new EventBus();
const options = parseOptions(optionsText());
const query = parseOverlayQuery(location.search);
// The one place where whoever writes the address may look.
for (const problem of query.problems) console.warn(problem);

buildViews();
wire();

function buildViews() {
  let frame = { width: 0, height: 0 };
  bus.on("frame-size", (size) => (frame = size));
  new OverlayView({ canvas: find("overlay") }, bus, () => frame);
  const shows = (part) => query.show.includes(part);
  const deps = { emotions: options.emotions, now, isOn: shows("bars") };
  if (shows("bars")) new LargeBarsView({ list: find("large-bars") }, bus, deps);
  const isAlone = shows("bars") && !shows("boxes") && !shows("labels");
  document.body.classList.toggle("has-bars-alone", isAlone);
  document.documentElement.style.setProperty("--scale", String(query.scale));
  bus.emit("show-changed", query);
  bus.emit("mirror-changed", { isMirrored: query.isMirrored });
}

function wire() {
  // No picture is shown, so none is decoded.
  const session = new WatchSession({ bus, decode: async () => null, now });
  // No reason is final here: another link, or the host's next address, may come in its place.
  const deps = { bus, ackTimeoutMs: options.ackTimeoutMs, namespace: "/watch" };
  const socket = new SocketClient(io, { ...deps, goodbye: () => null });
  socket.hear("state", "watch-state", parseWatchState);
  socket.hear("view", "watch-view", (raw, jpeg) => parseWatchView(raw, jpeg, options.emotions));
  bus.on("watch-state", (state) => session.stateCame(state));
  bus.on("watch-view", (view) => session.viewCame(view));
  bus.on("connection-changed", (change) => {
    session.connectionChanged(change);
    if (change.state === "closed") setTimeout(() => socket.connect(), RETRY_MS);
  });
  setInterval(() => session.tick(), TICK_MS);
  socket.connect();
}

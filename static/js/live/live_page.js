/**
 * Composition root: finds the elements, builds services and views, and wires what belongs to
 * neither.
 */
import { sitePath } from "../shared/site_path.js";
import { io } from "/vendor/socket.io.esm.min.js";

import { find, findAll, openPage, optionsText, tellLoaded } from "../shared/page.js";
import { Camera } from "./camera.js";
import { tellConnection } from "../shared/connection_messages.js";
import { CorrectionFlow } from "./correction_flow.js";
import { FlowController } from "./flow_controller.js";
import { Film } from "./film.js";
import { FrameEncoder } from "./frame_encoder.js";
import { FramePump } from "./frame_pump.js";
import { SessionsApi } from "../history/sessions_api.js";
import { KeptOffsets } from "./kept_offsets.js";
import { LabelSound } from "./label_sound.js";
import { LiveSession } from "./live_session.js";
import { parseOptions } from "../shared/options.js";
import { Moods } from "../shared/moods.js";
import { MarkerQueue } from "./marker_queue.js";
import { PersonNames } from "./person_names.js";
import { PageSettings } from "./page_settings.js";
import { linkMessage, readLink } from "../shared/link_settings.js";
import { Recording } from "./recording.js";
import { tellRecording } from "./recording_messages.js";
import { buildSharePanel } from "../share/panel.js";
import { SocketClient } from "../shared/socket_client.js";
import { buildEvents } from "./events_root.js";
import { buildStageTools } from "./stage_tools_root.js";
import { LiveStatistics } from "./statistics.js";
import { VideoClock } from "./video_clock.js";
import { HANDED_FOR_MS, HandedFiles } from "../shared/handed_files.js";
import { DropZoneView } from "../shared/views/drop_zone.js";
import { ExpressionAnnouncerView } from "../shared/views/expression_announcer.js";
import { CircumplexView } from "../shared/views/circumplex.js";
import { ConnectionView } from "../shared/views/connection.js";
import { ControlsView } from "./views/controls.js";
import { FacesView } from "../shared/views/faces.js";
import { CorrectionDrawerView } from "./views/correction_drawer.js";
import { PersonSignView } from "./views/person_sign.js";
import { SettingsView } from "./views/settings.js";
import { HelpView } from "./views/help.js";
import { HudView } from "./views/hud.js";
import { LeaveGuardView } from "./views/leave_guard.js";
import { NoticeView } from "./views/notice.js";
import { LargeBarsView } from "../shared/views/large_bars.js";
import { OverlayView } from "../shared/views/overlay.js";
import { PresentationView } from "../shared/views/presentation.js";
import { RecordingBarView } from "./views/recording_bar.js";
import { ShortcutsView } from "./views/shortcuts.js";
import { LiveTimelineView } from "./views/live_timeline.js";
import { SessionStory } from "./session_story.js";
import { SummaryCardView } from "./views/summary_card.js";
import { SnapshotView } from "./views/snapshot.js";
import { StageView } from "./views/stage.js";
import { WatcherCountView } from "./views/watcher_count.js";
import { WakeLock, keepAwake } from "../shared/wake_lock.js";
import { t } from "../shared/words.js";

const STATISTICS_MS = 250;

const now = () => performance.now();

const page = openPage();
const { bus, preferences } = page;
const { signal } = bus;
const options = parseOptions(optionsText());

const { session, recording, socket, clock, pump } = buildSession();
const notice = buildViews();
wire();
tellLoaded();

function buildSession() {
  const video = find("video");
  const canvas = globalThis.OffscreenCanvas
    ? new OffscreenCanvas(1, 1)
    : document.createElement("canvas");
  const socket = new SocketClient(io, { bus, ackTimeoutMs: options.ackTimeoutMs });
  const camera = new Camera({ mediaDevices: navigator.mediaDevices, isSecureContext });
  const pump = new FramePump({
    encoder: new FrameEncoder(video, canvas),
    transport: socket,
    controller: new FlowController(options),
    bus,
    options,
    now,
  });
  const deviceId = preferences.get("camera") ?? "";
  const recorder = new Recording({ socket, bus, now, isWanted: wantsRecording() });
  const clock = new VideoClock(video, bus);
  const built = new LiveSession({
    camera,
    film: new Film(video, video.dataset.films.split(" ")),
    clock,
    pump,
    socket,
    bus,
    deviceId,
  });
  bus.on("video-frame", (frame) => pump.offer(frame));
  bus.on("connection-changed", () => pump.connectionChanged());
  bus.on("heatmap-changed", ({ isOn }) => pump.setHeatmap(isOn));
  bus.on("reconnect-requested", () => socket.connect());
  bus.on("sight-changed", ({ isHidden }) => pump.setHidden(isHidden));
  camera.onDevicesChanged(() => built.refreshCameras(), { signal });
  // After the views listen.
  queueMicrotask(() => {
    socket.connect();
    built.refreshCameras();
    recorder.tell();
  });
  return { session: built, recording: recorder, socket, clock, pump };
}

function wantsRecording() {
  const chosen = preferences.get("record");
  return chosen === null ? options.isRecordingDefault : chosen === "on";
}

function buildViews() {
  const video = find("video");
  new ConnectionView({ pill: find("connection"), text: find("connection-text") }, bus);
  new StageView(
    {
      stage: find("stage"),
      video,
      problem: find("problem"),
      problemTitle: find("problem-title"),
      problemText: find("problem-text"),
      problemSteps: find("problem-steps"),
      retry: find("retry"),
      problemFilm: find("problem-film"),
      startStop: find("start-stop"),
    },
    bus,
  );
  const frameSize = () => ({ width: video.videoWidth, height: video.videoHeight });
  const overlay = new OverlayView({ canvas: find("overlay") }, bus, frameSize);
  const paintOverlay = (context, view) => overlay.paint(context, view);
  new SnapshotView({ video, flash: find("flash") }, bus, paintOverlay);
  buildStageTools(bus, { session, clock, paintOverlay, now });
  new FacesView(
    {
      list: find("faces"),
      count: find("face-count"),
      legend: find("legend"),
      hint: find("no-face"),
      template: find("face-card-template"),
    },
    bus,
    options.emotions,
  );
  const affect = { card: find("circumplex"), canvas: find("circumplex-canvas") };
  new CircumplexView({ ...affect, mood: find("mood-all") }, bus, now);
  new LargeBarsView({ list: find("large-bars") }, bus, { emotions: options.emotions, now });
  const bars = [find("controls"), find("recorder")];
  const shown = { shell: find("stage-shell"), bars, fullscreen: find("fullscreen") };
  new PresentationView(shown, bus, document);
  new WatcherCountView({ bar: find("watched"), text: find("watched-text") }, bus);
  new HudView({ hud: find("hud") }, bus);
  new ControlsView(
    {
      startStop: find("start-stop"),
      startStopLabel: find("start-stop-label"),
      mirror: find("mirror"),
      fullscreen: find("fullscreen"),
      snapshot: find("snapshot"),
      heatmap: find("heatmap-toggle"),
      heatLegend: find("heat-legend"),
      hud: find("hud-toggle"),
      camera: find("camera"),
      requesters: findAll("[data-request]"),
    },
    bus,
  );
  new RecordingBarView(
    {
      bar: find("recorder"),
      toggle: find("record"),
      state: find("recorder-state"),
      time: find("recorder-time"),
      marker: find("marker"),
      link: find("recorder-link"),
      form: find("marker-form"),
      formTime: find("marker-time"),
      text: find("marker-text"),
      cancel: find("marker-cancel"),
    },
    bus,
  );
  buildStoryViews();
  new ExpressionAnnouncerView({ region: find("announcer") }, bus);
  new LeaveGuardView(window, bus);
  new DropZoneView({ veil: find("drop-veil") }, bus);
  new HelpView({ dialog: find("help"), close: find("help-close") }, bus);
  new ShortcutsView({ page: document, isOn: find("shortcuts-on") }, bus, preferences);
  buildSharePanel(page);
  const dialog = {
    dialog: find("notice"),
    accept: find("notice-accept"),
    decline: find("notice-decline"),
    close: find("notice-close"),
    details: find("notice-details"),
  };
  const record = { recording: find("notice-recording"), record: find("notice-record") };
  return new NoticeView({ ...dialog, ...record }, bus, preferences);
}

function buildStoryViews() {
  const timeline = {
    section: find("timeline"),
    ranges: findAll('input[name="timeline-range"]'),
    lanes: find("timeline-lanes"),
    template: find("timeline-lane-template"),
    nobody: find("timeline-nobody"),
    markers: find("timeline-markers"),
    from: find("timeline-from"),
    to: find("timeline-to"),
  };
  new LiveTimelineView(timeline, bus);
  const summary = {
    section: find("summary"),
    close: find("summary-close"),
    facts: find("summary-facts"),
    table: find("summary-table"),
    markers: find("summary-markers"),
    kept: find("summary-kept"),
    link: find("summary-link"),
  };
  new SummaryCardView(summary, bus, options.emotions);
}

function wire() {
  const statistics = new LiveStatistics();
  new Moods({ bus, now, emotions: options.emotions });
  tellConnection(bus, now);
  bus.on("farewell", ({ problem }) => session.end(problem));
  bus.on("toggle-requested", () => toggle());
  // No notice before the film: nobody in front of the camera is seen.
  bus.on("film-requested", () => session.isActive || session.start({ isFilm: true }));
  bus.on("notice-accepted", () => session.start());
  bus.on("camera-selected", ({ deviceId }) => preferences.set("camera", deviceId));
  bus.on("camera-selected", ({ deviceId }) => session.selectCamera(deviceId));
  bus.on("result", (answer) => statistics.addResult(answer, now()));
  bus.on("frame-dropped", ({ reason }) => statistics.addDrop(reason));
  bus.on("frame-refused", () => statistics.addDrop("refused"));
  bus.on("session-changed", ({ state }) => state === "starting" && statistics.reset());
  bus.on("files-dropped", (dropped) => handOver(dropped));
  wireSettings();
  wireCorrection();
  wireHud();
  wireRecording(new SessionsApi(page.fetch));
  keepAwake(new WakeLock(navigator.wakeLock), document, bus);
  const timer = setInterval(
    () => bus.emit("statistics", statistics.snapshot(now())),
    STATISTICS_MS,
  );
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

function wireSettings() {
  const { values, problems } = readLink(location.search);
  const server = { ...options, unsureBelow: options.model.unsureBelow };
  const settings = new PageSettings({ bus, preferences, server, link: values });
  const drawer = { drawer: find("settings"), form: find("settings-form") };
  const buttons = { close: find("settings-close"), copy: find("settings-copy") };
  const rest = { reset: find("settings-reset"), link: find("settings-link") };
  const button = find("settings-open");
  new SettingsView({ ...drawer, ...buttons, ...rest, button }, bus, settings);
  const sound = new LabelSound(options.emotions, () => new AudioContext());
  bus.on("settings-changed", (change) => sound.setOn(change.values.sound));
  bus.on("result", ({ faces }) => sound.see(faces, now()));
  buildEvents(bus, { socket, preferences, fetch: page.fetch, sound });
  bus.on("settings-changed", () => pump.setSettings(settings.forServer()));
  const noHeatmaps = options.model.heatmaps === null ? options.model.noHeatmaps : "";
  bus.on("settings-changed", ({ values: { show } }) => {
    const isOn = show.includes("heatmap") && noHeatmaps === "";
    bus.emit("show-changed", { show });
    bus.emit("heatmap-changed", { isOn, problem: noHeatmaps });
  });
  bus.on("heatmap-toggle-requested", () => noHeatmaps || settings.toggleShown("heatmap"));
  settings.tell();
  if (problems.length > 0) bus.emit("message", linkMessage(problems));
}

function wireCorrection() {
  const { emotions } = options;
  const kept = new KeptOffsets(preferences, emotions);
  const flow = new CorrectionFlow({ socket, bus, kept, emotions, now });
  const video = find("video");
  const elements = { drawer: find("correction"), open: find("correction-open") };
  new CorrectionDrawerView({ ...elements, stage: find("stage-shell") }, bus, flow);
  const frameSize = () => ({ width: video.videoWidth, height: video.videoHeight });
  new PersonSignView({ sign: find("person-sign") }, bus, frameSize);
}

/** Who came to see expressions is not shown milliseconds unasked. */
function wireHud() {
  let isOn = preferences.get("hud") === "on";
  const tell = () => bus.emit("hud-changed", { isOn });
  bus.on("hud-toggle-requested", () => {
    isOn = !isOn;
    preferences.set("hud", isOn ? "on" : "off");
    tell();
  });
  tell();
}

function wireRecording(api) {
  // Before the names: it keeps those that they forget.
  const story = new SessionStory({ bus, now, emotions: options.emotions });
  bus.on("statistics", () => document.hidden || story.tick());
  new PersonNames({ socket, bus });
  const rename = (session, id, changes) => api.updateMarker(session, id, changes);
  const markers = new MarkerQueue({ socket, bus, rename });
  tellRecording(bus);
  bus.on("session-changed", ({ state }) => followStream(state));
  bus.on("connection-changed", ({ state }) => recording.connectionChanged(state === "connected"));
  bus.on("recording-saved", (saved) => recording.saved(saved));
  bus.on("recording-problem", (problem) => recording.failed(problem));
  bus.on("recording-changed", ({ state }) => state === "recording" && markers.send());
  bus.on("result", ({ faces }) => recording.see(faces.length));
  bus.on("statistics", () => recording.check());
  bus.on("record-toggle-requested", () => toggleRecording());
  bus.on("marker-requested", () => setMarker(markers));
  bus.on("marker-named", ({ marker, text }) => markers.name(marker, text));
  bus.on("sight-changed", ({ isHidden }) => recording.setHidden(isHidden));
  bus.on("pause-changed", ({ isPaused }) => recording.setPaused(isPaused));
}

function setMarker(markers) {
  const moment = recording.moment();
  if (moment) markers.add(moment);
}

function followStream(state) {
  if (state === "live") recording.streamStarted();
  else if (state !== "starting") recording.streamEnded();
}

function toggleRecording() {
  preferences.set("record", recording.isWanted ? "off" : "on");
  recording.setWanted(!recording.isWanted);
}

/** The Analyze page takes what was dropped here. It would end a camera that runs, so that waits. */
async function handOver(dropped) {
  const isRunning = session.isActive;
  try {
    await new HandedFiles(() => indexedDB).put(dropped);
  } catch (error) {
    tellDropped(
      "error",
      t("This browser could not keep the files"),
      t("Drop them on the Analyze page. ({error})", { error }),
    );
    return;
  }
  if (!isRunning) location.assign(sitePath("/analyze"));
  else
    tellDropped(
      "info",
      t("Your files can be analysed"),
      t("The Analyze page opens beside this stream."),
    );
}

function tellDropped(tone, title, text) {
  const link = { label: t("Analyze"), href: sitePath("/analyze") };
  bus.emit("message", { id: "dropped", tone, title, text, link, lastsMs: HANDED_FOR_MS });
}

function toggle() {
  if (session.isOver) return;
  if (session.isActive) session.stop();
  else if (notice.isAccepted) session.start();
  else notice.open({ isQuestion: true });
}

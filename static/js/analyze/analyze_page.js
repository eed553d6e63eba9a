/**
 * Composition root of /analyze.
 *
 * Events beside those that the modules name at their heads:
 *   files-added {files}; folder-added {found}: chosen
 *   files-dropped {files, found}: see drop_zone.js
 *   images-changed, image-changed, selection-changed: see image_queue.js, image_selection.js
 *   videos-changed, video-ended, videos-unreachable: see video_jobs.js; folder-changed: see
 *     folder_evaluation.js
 */
import { downloadZip } from "/vendor/client-zip.js";

import { find, openPage, optionsText, tellLoaded } from "../shared/page.js";
import { DropZoneView } from "../shared/views/drop_zone.js";
import { HandedFiles } from "../shared/handed_files.js";
import { saveFile } from "../shared/save_file.js";
import { t } from "../shared/words.js";
import { buildSharePanel } from "../share/panel.js";
import { AnalysisApi, folderFilePath, videoFilePath } from "./analysis_api.js";
import { parseAnalyzeOptions } from "./analyze_options.js";
import { kindOf, readLabelledFolder } from "./file_kinds.js";
import { FolderEvaluation } from "./folder_evaluation.js";
import { ResultDownloads } from "./result_downloads.js";
import { ImageQueue } from "./image_queue.js";
import { ImageSelection } from "./image_selection.js";
import { Pictures } from "./pictures.js";
import { VideoJobs } from "./video_jobs.js";
import { ProgressAnnouncerView } from "./views/progress_announcer.js";
import { FacePanelView } from "./views/face_panel.js";
import { FolderMistakesView } from "./views/folder_mistakes.js";
import { FolderReportView } from "./views/folder_report.js";
import { FolderSetupView } from "./views/folder_setup.js";
import { TileGridView } from "./views/tile_grid.js";
import { ImageToolsView } from "./views/image_tools.js";
import { ImageViewerView } from "./views/image_viewer.js";
import { IntakeView } from "./views/intake.js";
import { PartFieldsView } from "./views/part_fields.js";
import { VideoListView } from "./views/video_list.js";
import { VideoTotalsView } from "./views/video_totals.js";

const page = openPage();
const { bus, preferences } = page;
const { signal } = bus;
const options = parseAnalyzeOptions(optionsText());
const { emotions, hasHeatmaps } = options;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const api = new AnalysisApi({ fetch: page.fetch, newUpload: () => new XMLHttpRequest() });
const queue = new ImageQueue({
  api,
  bus,
  emotions,
  hasHeatmaps,
  maxBytes: options.maxImageBytes,
  wait,
});
const selection = new ImageSelection(bus);
const pictures = new Pictures({
  decode: (blob) => createImageBitmap(blob),
  makeCanvas: (size) => Object.assign(document.createElement("canvas"), size),
  annotated: async (item) => (await queue.annotated([item]))[0],
});
const imageFiles = new ResultDownloads({ queue, bus, emotions, save: saveFile, zip: downloadZip });
const videos = new VideoJobs({
  api,
  bus,
  maxBytes: options.maxVideoBytes,
  timers: { set: (act, ms) => setTimeout(act, ms) },
});
const folderTest = new FolderEvaluation({ api, bus, wait, now: () => performance.now() });
const partFields = new PartFieldsView({
  box: find("video-part"),
  start: find("part-start"),
  end: find("part-end"),
  every: find("part-every"),
});

buildPage();
buildImages();
buildFolder();
wireFiles();
wireImages();
wireJobs();
recall();
videos.load();
takeHanded();
tellLoaded();

function buildPage() {
  buildSharePanel(page);
  const inputs = { files: find("files"), folder: find("folder") };
  const buttons = { chooseFiles: find("choose-files"), chooseFolder: find("choose-folder") };
  new IntakeView({ page: find("analyze"), ...inputs, ...buttons }, bus);
  new DropZoneView({ veil: find("drop-veil") }, bus);
  new ProgressAnnouncerView({ region: find("announcer") }, bus);
  new VideoListView(
    {
      section: find("videos"),
      list: find("video-list"),
      template: find("video-template"),
      trouble: find("videos-trouble"),
    },
    bus,
    videoFilePath,
  );
  new VideoTotalsView(
    {
      count: find("videos-count"),
      progress: find("videos-progress"),
      csv: find("videos-csv"),
      stop: find("videos-stop"),
    },
    bus,
  );
}

function buildImages() {
  const load = (item, side) => pictures.load(item, side);
  new ImageToolsView(
    {
      section: find("images"),
      count: find("images-count"),
      progress: find("images-progress"),
      faces: find("image-faces"),
      annotated: find("download-annotated"),
      csv: find("download-csv"),
      json: find("download-json"),
      retry: find("retry-failed"),
      clear: find("clear-images"),
    },
    bus,
  );
  new TileGridView({ list: find("tiles"), template: find("tile-template") }, bus, load);
  buildViewer(load);
  new FacePanelView(
    {
      none: find("face-none"),
      list: find("face-list"),
      card: find("face-card"),
      heatCard: find("heat-card"),
      heatSwitch: find("heat-switch"),
      heatNote: find("heat-note"),
      heatChoice: find("heat-choice"),
      heatLegend: find("heat-legend"),
    },
    bus,
    { emotions, load, noHeatmaps: options.noHeatmaps },
  );
}

function buildViewer(load) {
  new ImageViewerView(
    {
      viewer: find("viewer"),
      stage: document.querySelector(".viewer-stage"),
      canvas: find("picture"),
      faces: find("face-buttons"),
      waits: find("viewer-waits"),
      waitsText: find("viewer-waits").lastElementChild,
      error: find("viewer-error"),
      errorText: find("viewer-error-text"),
      retry: find("viewer-retry"),
      blind: find("viewer-blind"),
      back: find("viewer-back"),
      on: find("viewer-on"),
      name: find("viewer-name"),
      facts: find("viewer-facts"),
      annotated: find("one-annotated"),
      csv: find("one-csv"),
      json: find("one-json"),
      remove: find("one-remove"),
    },
    bus,
    load,
  );
}

function buildFolder() {
  new FolderSetupView(
    {
      section: find("folder-test"),
      name: find("folder-name"),
      counts: find("folder-counts"),
      apart: find("folder-apart"),
      problem: find("folder-problem"),
      plain: find("folder-plain"),
      begin: find("folder-begin"),
      faces: find("folder-faces"),
      start: find("folder-start"),
      startText: find("folder-start-text"),
      running: find("folder-running"),
      progress: find("folder-progress"),
      text: find("folder-text"),
      stop: find("folder-stop"),
      close: find("folder-close"),
    },
    bus,
  );
  const figures = {
    accuracy: find("accuracy"),
    interval: find("accuracy-interval"),
    originalCard: find("original-card"),
    original: find("accuracy-original"),
    originalInterval: find("accuracy-original-interval"),
    sure: find("sure-accuracy"),
    sureShare: find("sure-share"),
    apart: find("apart"),
    difference: find("difference"),
  };
  const tables = {
    headSwitch: find("head-switch"),
    classes: find("classes"),
    confusion: find("confusion"),
    unreadable: find("unreadable"),
  };
  const files = {
    json: find("report-json"),
    text: find("report-txt"),
    plot: find("report-confusion"),
    mistakes: find("report-mistakes"),
  };
  const whole = { report: find("report"), partial: find("report-partial") };
  new FolderReportView({ ...whole, ...figures, ...tables, ...files }, bus, {
    emotions,
    filePath: folderFilePath,
  });
  new FolderMistakesView(
    { card: find("mistakes-card"), list: find("mistakes"), more: find("mistakes-more") },
    bus,
  );
}

function wireFiles() {
  bus.on("files-added", ({ files }) => add(files));
  bus.on("folder-added", ({ found }) => addFolder(found));
  bus.on("files-dropped", (dropped) => addDropped(dropped));
}

function addDropped({ files, found }) {
  add(files);
  // An empty folder is said to be empty.
  if (found.length > 0 || files.length === 0) addFolder(found);
}

/** What was dropped on the live page. Without the browser's database nothing was handed over. */
async function takeHanded() {
  const handed = await new HandedFiles(() => indexedDB).take().catch(() => null);
  if (handed) addDropped(handed);
}

function add(files) {
  const images = files.filter((file) => kindOf(file) === "image");
  const films = files.filter((file) => kindOf(file) === "video");
  if (images.length > 0) queue.add(images);
  if (films.length > 0) addVideos(films);
}

function addVideos(films) {
  const part = partFields.read();
  if (part) videos.add(films, { annotated: find("video-annotated").checked, part });
}

function addFolder(found) {
  const folder = readLabelledFolder(found, options.folderNames);
  const isRunning = ["running", "stopping"].includes(folderTest.state.status);
  if (isRunning) {
    bus.emit("message", {
      id: "folder",
      tone: "warning",
      title: t("A folder test is running"),
      text: t("Stop it first."),
      lastsMs: 8000,
    });
    return;
  }
  folderTest.choose(folder);
  find("folder-test").scrollIntoView({ block: "start" });
}

function wireImages() {
  bus.on("image-selected", ({ id }) => show(id));
  bus.on("image-step-requested", ({ steps }) => selection.move(steps));
  bus.on("face-selected", ({ id }) => selection.selectFace(id));
  bus.on(
    "heat-toggled",
    ({ hasHeat }) => (
      selection.setHeat(hasHeat),
      preferences.set("analyze-heat", hasHeat ? "1" : "0")
    ),
  );
  bus.on("heat-emotion-selected", ({ emotion }) => selection.setEmotion(emotion));
  bus.on("image-retry-requested", ({ id }) => queue.retry(id));
  bus.on(
    "image-remove-requested",
    ({ id }) => (queue.remove(id), queue.items.length === 0 && find("choose-files").focus()),
  );
  bus.on("clear-images-requested", () => (queue.clear(), find("choose-files").focus()));
  bus.on("retry-failed-requested", () => queue.retryFailed());
  bus.on("faces-selected", ({ faces }) => queue.setFaces(faces));
  bus.on("download-requested", ({ format, ids }) => imageFiles.download(format, ids));
}

/** The grid may be longer than the window: what was pressed is to be seen. */
function show(id) {
  selection.select(id);
  document.querySelector(".viewer-stage").scrollIntoView({ block: "nearest" });
}

function wireJobs() {
  bus.on("video-retry-requested", ({ key }) => videos.retry(key));
  bus.on("video-remove-requested", ({ key }) => videos.remove(key));
  bus.on("videos-stop-requested", () => videos.stop());
  bus.on("video-table-requested", () => saveVideoTable());
  bus.on("folder-start-requested", ({ faces }) => folderTest.start(faces));
  bus.on("folder-stop-requested", () => folderTest.stop());
  bus.on("folder-close-requested", () => (folderTest.close(), find("choose-folder").focus()));
  bus.on("report-download-requested", () => saveReport());
  addEventListener(
    "beforeunload",
    (event) =>
      (videos.isUploading || folderTest.state.status === "running") && event.preventDefault(),
    { signal },
  );
  // The server would keep a test for an hour that nobody can see any more.
  addEventListener("pagehide", ({ persisted }) => persisted || folderTest.close(), { signal });
}

async function saveVideoTable() {
  const table = await videos.table();
  if (table) saveFile(table, "videos.csv");
}

function saveReport() {
  const { report } = folderTest.state;
  saveFile(
    new Blob([`${JSON.stringify(report, null, 1)}\n`], { type: "application/json" }),
    "report.json",
  );
}

function recall() {
  selection.setHeat(preferences.get("analyze-heat") === "1");
  find("video-annotated").checked = preferences.get("analyze-annotated") !== "0";
  find("video-annotated").addEventListener(
    "change",
    ({ target }) => preferences.set("analyze-annotated", target.checked ? "1" : "0"),
    { signal },
  );
}

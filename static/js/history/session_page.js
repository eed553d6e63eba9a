/** Composition root of /history/ID. */
import { sitePath } from "../shared/site_path.js";
import "./browser_language.js";
import uPlot from "/vendor/uPlot.esm.js";

import { find, findAll, openPage, tellLoaded } from "../shared/page.js";
import { sessionName } from "../shared/format.js";
import { serverText } from "../shared/server_errors.js";
import { t } from "../shared/words.js";
import { buildSharePanel } from "../share/panel.js";
import { Detail } from "./detail.js";
import { SessionsApi, exportPath } from "./sessions_api.js";
import { SessionData } from "./session_data.js";
import { DataTableView } from "./views/data_table.js";
import { FaceStripsView } from "./views/face_strips.js";
import { HeadingView } from "./views/heading.js";
import { MarkersView } from "./views/markers.js";
import { SessionNameView } from "./views/session_name.js";
import { NotesView } from "./views/notes.js";
import { PaperView } from "./views/paper.js";
import { PeopleListView } from "./views/people_list.js";
import { PeaksView } from "./views/peaks.js";
import { ReadOnlyView } from "./views/read_only.js";
import { EmotionSharesView } from "./views/emotion_shares.js";
import { SmoothingView } from "./views/smoothing.js";
import { TakeawayView } from "./views/takeaway.js";
import { TimelineView } from "./views/timeline.js";
import { TransitionsView } from "./views/transitions.js";
import { ViewControlsView } from "./views/view_controls.js";

const page = openPage();
const { bus } = page;
const { signal } = bus;
const isReadOnly = find("session").dataset.readOnly === "true";
const id = decodeURIComponent(location.pathname.split("/").filter(Boolean).at(-1));
const api = new SessionsApi(page.fetch);
new Detail({ api, bus, id });
// The browser may have kept the slider where it was before a reload.
const data = new SessionData({
  api,
  bus,
  id,
  view: { face: null, smoothingS: Number(find("smoothing").value) },
});

buildViews();
wire();
if (!isReadOnly) wireEdits();
data.load();
tellLoaded();

function buildViews() {
  buildSharePanel(page, { session: id });
  buildHead();
  buildPeople();
  if (isReadOnly) buildReading();
  else buildEditing();
  const timeline = buildTimeline();
  new FaceStripsView({ root: find("face-strips") }, bus);
  const shares = {
    list: find("shares"),
    present: find("present-share"),
    unsure: find("unsure-share"),
    valence: find("mean-valence"),
    arousal: find("mean-arousal"),
    intensity: find("mean-intensity"),
  };
  new EmotionSharesView(shares, bus);
  const transitions = {
    table: find("transitions"),
    note: find("transitions-note"),
    none: find("transitions-none"),
  };
  new TransitionsView(transitions, bus);
  new PeaksView({ list: find("peaks"), none: find("peaks-none") }, bus);
  new DataTableView({ table: find("data-table"), caption: find("data-caption") }, bus);
  const takeaway = { menu: find("export-menu"), png: find("save-png"), print: find("print") };
  new PaperView(bus);
  new TakeawayView(takeaway, bus, () => timeline.canvas);
}

function buildPeople() {
  const merging = {
    form: isReadOnly ? null : find("merge-form"),
    from: isReadOnly ? null : find("merge-from"),
    into: isReadOnly ? null : find("merge-into"),
  };
  const list = {
    list: find("people"),
    more: find("people-more"),
    template: find("person-template"),
  };
  new PeopleListView({ ...list, ...merging }, bus);
}

function buildHead() {
  new HeadingView(
    {
      facts: find("facts"),
      model: find("model"),
      state: find("state"),
      reload: find("reload"),
    },
    bus,
  );
  const modes = findAll('input[name="mode"]');
  new ViewControlsView({ face: find("face"), modes }, bus);
  new SmoothingView({ slider: find("smoothing"), text: find("smoothing-text") }, bus);
  for (const link of findAll("a[data-format]")) link.href = exportPath(id, link.dataset.format);
}

function buildEditing() {
  new SessionNameView({ name: find("name"), form: find("name-form") }, bus);
  new MarkersView(
    { list: find("markers"), none: find("markers-none"), template: find("marker-template") },
    bus,
  );
  const notes = {
    notes: find("notes"),
    saved: find("saved"),
    tags: find("tags"),
    tagForm: find("tag-form"),
    tag: find("tag"),
  };
  new NotesView(notes, bus);
}

function buildReading() {
  const texts = { name: find("read-name"), notes: find("read-notes"), tags: find("read-tags") };
  const markers = {
    markers: find("markers"),
    none: find("markers-none"),
    template: find("marker-template"),
  };
  new ReadOnlyView({ ...texts, ...markers }, bus);
}

function buildTimeline() {
  return new TimelineView(
    {
      plot: find("plot"),
      slider: find("chart"),
      readout: find("readout"),
      moment: find("moment"),
      note: find("chart-note"),
      zoomIn: find("zoom-in"),
      zoomOut: find("zoom-out"),
      left: find("pan-left"),
      right: find("pan-right"),
      reset: find("zoom-reset"),
      addMarker: find("add-marker"),
    },
    bus,
    uPlot,
  );
}

function wire() {
  bus.on("face-changed", ({ face }) => data.setView({ face }));
  bus.on("smoothing-changed", ({ smoothingS }) => data.setView({ smoothingS }));
  bus.on("view-loading", () => find("session").setAttribute("aria-busy", "true"));
  bus.on("view-changed", ({ samples }) => showState(samples.atS.length === 0 ? "empty" : "ready"));
  bus.on("load-failed", ({ problem }) => fail(problem));
  find("retry").addEventListener("click", () => location.reload(), { signal });
  find("reload").addEventListener("click", () => location.reload(), { signal });
}

function wireEdits() {
  bus.on("update-requested", (changes) => update(changes));
  bus.on("marker-add-requested", ({ atS, text }) => data.addMarker({ at_s: atS, text }));
  bus.on("marker-rename-requested", ({ id: markerId, text }) => data.renameMarker(markerId, text));
  bus.on("marker-delete-requested", ({ id: markerId }) => data.removeMarker(markerId));
  bus.on("person-change-requested", ({ face, changes }) => data.updatePerson(face, changes));
  find("delete").addEventListener("click", () => remove(), { signal });
  // Only the host has it.
  const share = find("share-session");
  if (!share) return;
  // A session that still runs has no end to show.
  bus.on("session-changed", ({ session }) => (share.hidden = session.state === "running"));
  share.addEventListener(
    "click",
    () => bus.emit("session-share-requested", { session: id, name: sessionName(data.session) }),
    { signal },
  );
}

async function update(changes) {
  if (await data.update(changes)) bus.emit("session-saved");
}

async function remove() {
  const name = data.session ? sessionName(data.session) : "";
  if (await data.remove())
    location.assign(sitePath(`/history#${new URLSearchParams({ deleted: id, name })}`));
}

/** @param {"ready" | "empty" | "failed"} state */
function showState(state) {
  find("session").setAttribute("aria-busy", "false");
  find("session").dataset.state = state;
}

function fail(problem) {
  const isGone = problem.code === "not_found";
  showState("failed");
  find("failed-title").textContent = isGone
    ? t("There is no such session")
    : t("The session could not be loaded");
  find("failed-text").textContent = isGone
    ? t("It was deleted, its time was over, or another browser recorded it.")
    : serverText(problem);
  find("retry").hidden = isGone;
}

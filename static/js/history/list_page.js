/** Composition root of /history. */
import { find, openPage, tellLoaded } from "../shared/page.js";
import { buildSharePanel } from "../share/panel.js";
import { SessionsApi } from "./sessions_api.js";
import { LoadedSessions } from "./loaded_sessions.js";
import { ListActionsView } from "./views/list_actions.js";
import { CompareBarView } from "./views/compare_bar.js";
import { FilterView } from "./views/filter.js";
import { SessionListView } from "./views/session_list.js";

const page = openPage();
const { bus } = page;
const { signal } = bus;
const sessions = new LoadedSessions({ api: new SessionsApi(page.fetch), bus });

const filter = buildViews();
wire();
sessions.load(filter.value);
tellDeleted();
tellLoaded();

function buildViews() {
  buildSharePanel(page);
  new SessionListView(
    {
      list: find("sessions"),
      template: find("session-template"),
      count: find("session-count"),
      retention: find("retention"),
      more: find("more"),
      loading: find("loading"),
      empty: find("empty"),
      nothing: find("nothing"),
      failed: find("failed"),
      failedText: find("failed-text"),
      removeAll: find("delete-all"),
    },
    bus,
  );
  const bar = {
    bar: find("compare-bar"),
    text: find("compare-text"),
    link: find("compare"),
    clear: find("compare-clear"),
  };
  new CompareBarView(bar, bus);
  new ListActionsView(
    {
      importButton: find("import"),
      file: find("import-file"),
      removeAll: find("delete-all"),
      dialog: find("delete-all-dialog"),
      confirm: find("delete-all-confirm"),
      cancel: find("delete-all-cancel"),
    },
    bus,
  );
  const fields = { search: find("search"), tag: find("tag"), from: find("from"), to: find("to") };
  return new FilterView({ form: find("filter"), clear: find("filter-clear"), ...fields }, bus);
}

function wire() {
  bus.on("filter-changed", (value) => sessions.load(value));
  bus.on("rename-requested", ({ id, name }) => sessions.rename(id, name));
  bus.on("delete-requested", ({ id }) => sessions.remove(id));
  bus.on("restore-requested", ({ id }) => sessions.restore(id));
  bus.on("delete-all-requested", () => sessions.removeAll());
  bus.on("import-requested", ({ file }) => sessions.importFile(file));
  find("more").addEventListener("click", () => sessions.more(), { signal });
  find("retry").addEventListener("click", () => sessions.reload(), { signal });
  find("nothing-clear").addEventListener("click", () => bus.emit("clear-filter-requested"), {
    signal,
  });
}

/** A session was deleted on its own page, which sent us here. */
function tellDeleted() {
  const deleted = new URLSearchParams(location.hash.slice(1));
  if (!deleted.get("deleted")) return;
  history.replaceState(null, "", location.pathname + location.search);
  sessions.offerUndo(deleted.get("deleted"), deleted.get("name") ?? "");
}

/** Composition root of /history. */
import { EventBus } from "../shared/event_bus.js";
import { tellLoaded } from "../shared/loaded.js";
import { Preferences } from "../shared/preferences.js";
import { buildSharePanel } from "../share/panel.js";
import { MessagesView } from "../shared/views/messages.js";
import { ThemeView } from "../shared/views/theme.js";
import { HistoryApi } from "./api.js";
import { SessionList } from "./session_list.js";
import { ListActionsView } from "./views/actions.js";
import { CompareBarView } from "./views/compare_bar.js";
import { FilterView } from "./views/filter.js";
import { SessionListView } from "./views/session_list.js";

const find = (id) => document.getElementById(id);

const { signal } = new AbortController();
const bus = new EventBus();
const sessions = new SessionList({ api: new HistoryApi(globalThis.fetch.bind(globalThis)), bus });

const filter = buildViews();
wire();
sessions.load(filter.value);
tellDeleted();
tellLoaded();

function buildViews() {
  const preferences = new Preferences(() => localStorage);
  new ThemeView({ root: document.documentElement, button: find("theme-toggle") }, signal, preferences);
  new MessagesView({ list: find("messages"), template: find("message-template") }, bus, signal);
  buildSharePanel(bus, signal);
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
    signal,
  );
  const bar = { bar: find("compare-bar"), text: find("compare-text"), link: find("compare"), clear: find("compare-clear") };
  new CompareBarView(bar, bus, signal);
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
    signal,
  );
  const fields = { search: find("search"), tag: find("tag"), from: find("from"), to: find("to") };
  return new FilterView({ form: find("filter"), clear: find("filter-clear"), ...fields }, bus, signal);
}

function wire() {
  bus.on("filter-changed", (value) => sessions.load(value), { signal });
  bus.on("rename-requested", ({ id, name }) => sessions.rename(id, name), { signal });
  bus.on("delete-requested", ({ id }) => sessions.remove(id), { signal });
  bus.on("restore-requested", ({ id }) => sessions.restore(id), { signal });
  bus.on("delete-all-requested", () => sessions.removeAll(), { signal });
  bus.on("import-requested", ({ file }) => sessions.importFile(file), { signal });
  find("more").addEventListener("click", () => sessions.more(), { signal });
  find("retry").addEventListener("click", () => sessions.reload(), { signal });
  find("nothing-clear").addEventListener("click", () => bus.emit("clear-filter-requested"), { signal });
}

/** A session was deleted on its own page, which sent us here. */
function tellDeleted() {
  const deleted = new URLSearchParams(location.hash.slice(1));
  if (!deleted.get("deleted")) return;
  history.replaceState(null, "", location.pathname + location.search);
  sessions.offerUndo(deleted.get("deleted"), deleted.get("name") ?? "");
}

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");
const list = (folder, ending) => readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith(ending));

const VIEWS = list("static/js/views/", ".js").map((name) => `views/${name}`);
const HISTORY = list("static/js/history/", ".js").map((name) => `history/${name}`);
const HISTORY_VIEWS = list("static/js/history/views/", ".js").map((name) => `history/views/${name}`);
const HISTORY_SERVICES = ["api.js", "comparison.js", "session_data.js", "session_list.js"].map((name) => `history/${name}`);
const HISTORY_PURE = ["alignment.js", "dates.js", "samples.js"].map((name) => `history/${name}`);
const SHARE = list("static/js/share/", ".js").map((name) => `share/${name}`);
const SHARE_VIEWS = list("static/js/share/views/", ".js").map((name) => `share/views/${name}`);
const SHARE_SERVICES = ["share/share_api.js", "share/sharing.js"];
const SHARE_PURE = ["share/links.js", "share/questions.js"];
const SHARE_PARTS = ["share/views/keyed_list.js", "share/views/link_row.js"];
const WATCH = list("static/js/watch/", ".js").map((name) => `watch/${name}`);
const WATCH_VIEWS = list("static/js/watch/views/", ".js").map((name) => `watch/views/${name}`);
const API = list("static/js/api/", ".js").map((name) => `api/${name}`);
const API_VIEWS = list("static/js/api/views/", ".js").map((name) => `api/views/${name}`);
const ANALYZE = list("static/js/analyze/", ".js").map((name) => `analyze/${name}`);
const ANALYZE_VIEWS = list("static/js/analyze/views/", ".js").map((name) => `analyze/views/${name}`);
const ANALYZE_PARTS = ["heat_choice.js", "image_tile.js", "video_row.js"].map((name) => `analyze/views/${name}`);
const ANALYZE_SERVICES = ["analysis_api.js", "folder_test.js", "image_files.js", "image_selection.js", "pictures.js", "video_jobs.js"].map(
  (name) => `analyze/${name}`,
);
const ANALYZE_PURE = ["downloads.js", "file_kinds.js", "folder_texts.js", "still_analysis.js", "video_texts.js", "zip.js"].map(
  (name) => `analyze/${name}`,
);
const MODULES = list("static/js/", ".js");
const SERVICES = ["camera.js", "frame_pump.js", "live_session.js", "recording.js", "socket_client.js", "video_clock.js", "wake_lock.js"];
const LOW = ["event_bus.js", "protocol.js", "options.js", "errors.js", "goodbyes.js", "json_requests.js", "geometry.js", "format.js", "statistics.js"];

const imports = (module) =>
  [...read(`static/js/${module}`).matchAll(/^import .*?from "(.+?)";$/gms)].map(([, path]) => path.replace(/^\.\.?\//, ""));

/** Paths from static/js/ of what a module imports. */
const resolved = (module) =>
  [...read(`static/js/${module}`).matchAll(/^import .*?from "(\..+?)";$/gms)].map(([, path]) =>
    new URL(path, `file:///${module}`).pathname.slice(1),
  );

/** Parts of one view alone, which nothing else may import. */
const PARTS = ["history/views/session_row.js", "history/views/line_key.js", "history/views/readout_item.js"];

test("views import neither services nor each other", () => {
  for (const view of VIEWS) {
    const wrong = imports(view).filter((path) => SERVICES.includes(path) || VIEWS.includes(`views/${path}`));
    assert.deepEqual(wrong, [], view);
  }
  for (const view of HISTORY_VIEWS) {
    const others = [...VIEWS, ...HISTORY_VIEWS].filter((path) => !PARTS.includes(path));
    const wrong = resolved(view).filter((path) => [...SERVICES, ...HISTORY_SERVICES, ...others].includes(path));
    assert.deepEqual(wrong, [], view);
  }
});

test("services of the history never touch the document, and only pages import views", () => {
  for (const module of [...HISTORY_SERVICES, ...HISTORY_PURE]) {
    assert.doesNotMatch(read(`static/js/${module}`), /\bdocument\.|\blocation\.|\bwindow\./, module);
  }
  for (const module of HISTORY.filter((name) => !name.endsWith("_page.js"))) {
    assert.deepEqual(resolved(module).filter((path) => path.includes("views/")), [], module);
  }
});

test("the Share panel has views of its own, which only its root brings together", () => {
  for (const view of SHARE_VIEWS) {
    const wrong = resolved(view).filter((path) => [...SERVICES, ...SHARE_SERVICES].includes(path));
    const others = resolved(view).filter((path) => [...VIEWS, ...HISTORY_VIEWS, ...SHARE_VIEWS].includes(path) && !SHARE_PARTS.includes(path));
    assert.deepEqual([...wrong, ...others], [], view);
  }
  for (const module of SHARE.filter((name) => name !== "share/panel.js")) {
    assert.deepEqual(resolved(module).filter((path) => path.includes("views/")), [], module);
    assert.doesNotMatch(read(`static/js/${module}`), /\bdocument\.|\blocation\.|\bwindow\.|\bnavigator\./, module);
  }
  const shown = resolved("share/panel.js");
  assert.deepEqual(SHARE_VIEWS.filter((view) => !shown.includes(view) && !SHARE_PARTS.includes(view)), []);
});

test("what is pure in the Share panel asks no server", () => {
  for (const module of SHARE_PURE) {
    assert.deepEqual(resolved(module).filter((path) => path !== "format.js" && !SHARE_PURE.includes(path)), [], module);
  }
});

test("the watch page has views of its own, which only its root brings together", () => {
  for (const view of WATCH_VIEWS) {
    const wrong = resolved(view).filter((path) => [...SERVICES, "watch/watch_session.js", ...VIEWS, ...WATCH_VIEWS].includes(path));
    assert.deepEqual(wrong, [], view);
  }
  for (const module of WATCH.filter((name) => name !== "watch/watch_page.js")) {
    assert.deepEqual(resolved(module).filter((path) => path.includes("views/")), [], module);
    assert.doesNotMatch(read(`static/js/${module}`), /\bdocument\.|\blocation\.|\bwindow\.|\bnavigator\./, module);
  }
  const shown = resolved("watch/watch_page.js");
  assert.deepEqual(WATCH_VIEWS.filter((view) => !shown.includes(view)), []);
});

test("the page about the API has views of its own, which only its root brings together", () => {
  for (const view of API_VIEWS) {
    const others = [...SERVICES, "api/keys.js", "api/keys_api.js", ...VIEWS, ...API_VIEWS];
    assert.deepEqual(resolved(view).filter((path) => others.includes(path)), [], view);
  }
  for (const module of API.filter((name) => name !== "api/api_page.js")) {
    assert.deepEqual(resolved(module).filter((path) => path.includes("views/")), [], module);
    assert.doesNotMatch(read(`static/js/${module}`), /\bdocument\.|\blocation\.|\bwindow\.|\bnavigator\./, module);
  }
  const shown = resolved("api/api_page.js");
  assert.deepEqual(API_VIEWS.filter((view) => !shown.includes(view)), []);
});

test("the Analyze page has views of its own, which only its root brings together", () => {
  for (const view of ANALYZE_VIEWS) {
    const others = [...SERVICES, ...ANALYZE_SERVICES, ...VIEWS, ...ANALYZE_VIEWS];
    const wrong = resolved(view).filter((path) => others.includes(path) && !ANALYZE_PARTS.includes(path));
    assert.deepEqual(wrong, [], view);
  }
  for (const module of ANALYZE.filter((name) => name !== "analyze/analyze_page.js")) {
    assert.deepEqual(resolved(module).filter((path) => path.includes("views/")), [], module);
    assert.doesNotMatch(read(`static/js/${module}`), /\bdocument\.|\blocation\.|\bwindow\.|\bnavigator\./, module);
  }
  const shown = resolved("analyze/analyze_page.js");
  assert.deepEqual(ANALYZE_VIEWS.filter((view) => !shown.includes(view) && !ANALYZE_PARTS.includes(view)), []);
});

test("what is pure in the Analyze page asks no server and emits nothing", () => {
  for (const module of ANALYZE_PURE) {
    const wrong = resolved(module).filter((path) => !["format.js", ...ANALYZE_PURE].includes(path));
    assert.deepEqual(wrong, [], module);
  }
});

test("every view of the history is on a page", () => {
  const pages = HISTORY.filter((name) => name.endsWith("_page.js")).flatMap(resolved);
  assert.deepEqual(HISTORY_VIEWS.filter((view) => !pages.includes(view) && !PARTS.includes(view)), []);
});

test("only main imports views, and nothing imports main", () => {
  for (const module of MODULES.filter((name) => name !== "main.js")) {
    assert.deepEqual(imports(module).filter((path) => path.startsWith("views/") || path === "main.js"), [], module);
  }
});

test("low modules import low modules only", () => {
  for (const module of LOW) assert.deepEqual(imports(module).filter((path) => !LOW.includes(path)), [], module);
});

test("services never touch the document", () => {
  for (const module of [...SERVICES, ...LOW, "frame_encoder.js", "motion.js", "quality_controller.js"]) {
    assert.doesNotMatch(read(`static/js/${module}`), /\bdocument\.|\bwindow\./, module);
  }
});

test("nothing writes HTML from text, leaves window globals or fetches", () => {
  for (const module of [...MODULES, ...VIEWS, ...HISTORY, ...HISTORY_VIEWS, ...SHARE, ...SHARE_VIEWS, ...WATCH, ...WATCH_VIEWS, ...ANALYZE, ...ANALYZE_VIEWS, ...API, ...API_VIEWS]) {
    assert.doesNotMatch(read(`static/js/${module}`), /innerHTML|outerHTML|insertAdjacentHTML|\bwindow\.|(?<!#)\bfetch\(/, module);
  }
});

test("templates have no inline script, style or handler: the Content-Security-Policy forbids them", () => {
  for (const template of list("templates/", ".html")) {
    const html = read(`templates/${template}`);
    assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/, template);
    assert.doesNotMatch(html, /(?:src|href)="(?:https?:)?\/\//, `${template} loads from elsewhere`);
  }
});

test("every icon that a template uses is on the sheet", () => {
  const sheet = read("templates/_icon_sheet.html");
  for (const template of list("templates/", ".html")) {
    for (const [, name] of read(`templates/${template}`).matchAll(/icon\("([a-z-]+)"/g)) {
      assert.ok(sheet.includes(`id="icon-${name}"`), `${template}: ${name}`);
    }
  }
});

test("each page with a module says when the module did not come, and the module takes it back", () => {
  const templates = list("templates/", ".html").filter((name) => !name.startsWith("_"));
  const modules = templates.flatMap((name) => {
    const text = read(`templates/${name}`);
    const [, module] = text.match(/module = "(.+?)"/) ?? [];
    if (!module) return [];
    assert.match(text, /include "_scripts_wanted.html"/, name);
    return [text.includes('"_history_head.html"') ? `history/${module}` : module];
  });
  assert.equal(modules.length, 7);
  for (const module of modules) assert.match(read(`static/js/${module}`), /^tellLoaded\(\);$/m, module);
});

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");
const list = (folder, ending) =>
  existsSync(new URL(folder, ROOT))
    ? readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith(ending))
    : [];

const ROOMS = ["analyze", "api", "history", "live", "overlay", "share", "shared", "watch"];
const modulesOf = (folder) =>
  list(`static/js/${folder}/`, ".js").map((name) => `${folder}/${name}`);
const isView = (path) => path.includes("/views/");
const roomOf = (path) => path.split("/")[0];
const MODULES = ROOMS.flatMap(modulesOf);
const VIEWS = ROOMS.flatMap((room) => modulesOf(`${room}/views`));
const ALL = [...MODULES, ...VIEWS];

/** Rooms whose modules a room may import beside its own: every page may hold the Share panel,
 * the live page ends and names sessions as the history does, and the overlay watches. */
const OPEN_ROOMS = {
  live: ["shared", "share", "history"],
  overlay: ["shared", "watch"],
  share: ["shared"],
  shared: [],
};

/**
 * Modules that bring views together: the root of each page, what all pages have, and the Share
 * panel.
 */
const ROOTS = [
  ...MODULES.filter((path) => path.endsWith("_page.js")),
  "shared/page.js",
  "share/panel.js",
  "live/events_root.js",
  "live/stage_tools_root.js",
];

/** Parts of one view alone, which only other views may import. */
const PARTS = [
  "analyze/views/heat_choice.js",
  "analyze/views/image_tile.js",
  "analyze/views/video_row.js",
  "history/views/line_key.js",
  "history/views/readout_item.js",
  "history/views/session_row.js",
  "share/views/keyed_list.js",
  "share/views/link_row.js",
];

/** Modules that speak with the server, the camera or the clock; views are told what they found. */
const SERVICES = [
  "analyze/analysis_api.js",
  "analyze/folder_evaluation.js",
  "analyze/result_downloads.js",
  "analyze/image_selection.js",
  "analyze/pictures.js",
  "analyze/video_jobs.js",
  "api/keys.js",
  "api/keys_api.js",
  "history/sessions_api.js",
  "history/comparison.js",
  "history/session_data.js",
  "history/loaded_sessions.js",
  "live/camera.js",
  "live/clip.js",
  "live/correction_flow.js",
  "live/film.js",
  "live/frame_pump.js",
  "live/live_session.js",
  "live/marker_queue.js",
  "live/person_names.js",
  "live/picture_in_picture.js",
  "live/receiver_states.js",
  "live/recording.js",
  "live/session_story.js",
  "live/sight.js",
  "live/stream_rules.js",
  "shared/moods.js",
  "live/video_clock.js",
  "shared/handed_files.js",
  "shared/wake_lock.js",
  "share/share_api.js",
  "share/share_control.js",
  "shared/socket_client.js",
  "watch/watch_session.js",
];

/** Modules that compute only: they ask no server, touch no page and emit nothing. */
const PURE = [
  "analyze/result_formats.js",
  "analyze/file_kinds.js",
  "analyze/folder_texts.js",
  "analyze/still_analysis.js",
  "analyze/video_texts.js",
  "history/alignment.js",
  "history/dates.js",
  "history/people.js",
  "history/samples.js",
  "live/frame_encoder.js",
  "live/flow_controller.js",
  "live/rule_texts.js",
  "live/statistics.js",
  "overlay/overlay_query.js",
  "share/links.js",
  "share/questions.js",
  "shared/affect.js",
  "shared/affect_texts.js",
  "shared/event_bus.js",
  "shared/errors.js",
  "shared/format.js",
  "shared/geometry.js",
  "shared/label_layout.js",
  "shared/goodbyes.js",
  "shared/json_requests.js",
  "shared/link_settings.js",
  "shared/motion.js",
  "shared/options.js",
  "shared/protocol.js",
  "shared/single_key.js",
  "shared/words.js",
  "shared/timeline_lanes.js",
  "shared/unsure.js",
];

/** Paths from static/js/ of what a module imports. */
const imports = (module) =>
  [...read(`static/js/${module}`).matchAll(/^(?:import|export) .*?from "(\..+?)";$/gms)].map(
    ([, path]) => new URL(path, `file:///${module}`).pathname.slice(1),
  );

test("a module imports from its own room and from those that it may", () => {
  for (const module of ALL) {
    const rooms = [roomOf(module), ...(OPEN_ROOMS[roomOf(module)] ?? ["shared", "share"])];
    assert.deepEqual(
      imports(module).filter((path) => !rooms.includes(roomOf(path))),
      [],
      module,
    );
  }
});

test("no two modules or exports share a name, and no two modules' names differ by one letter", () => {
  const names = ALL.map((path) => path.split("/").at(-1));
  const exported = ALL.flatMap((module) =>
    [
      ...read(`static/js/${module}`).matchAll(
        /^export (?:async )?(?:class|function|const) (\w+)/gm,
      ),
    ].map(([, name]) => name),
  );
  const twice = (list) => list.filter((name, i) => list.indexOf(name) < i);
  assert.deepEqual([twice(names), twice(exported)], [[], []]);
  assert.deepEqual(
    names.flatMap((name, i) =>
      names
        .slice(i + 1)
        .filter((other) => isOneLetterApart(name, other))
        .map((other) => [name, other]),
    ),
    [],
  );
});

function isOneLetterApart(one, other) {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  if (long.length - short.length > 1) return false;
  const at = [...long].findIndex((letter, i) => letter !== short[i]);
  return long.slice(at + 1) === short.slice(short.length === long.length ? at + 1 : at);
}

test("views import neither services nor each other", () => {
  for (const view of VIEWS) {
    const others = [...SERVICES, ...ROOTS, ...VIEWS.filter((path) => !PARTS.includes(path))];
    const wrong = imports(view).filter((path) => others.includes(path));
    assert.deepEqual(wrong, [], view);
  }
});

test("only the root of a page imports views, every view has a root, and nothing imports a page", () => {
  for (const module of MODULES.filter((path) => !ROOTS.includes(path))) {
    assert.deepEqual(imports(module).filter(isView), [], module);
  }
  const shown = ROOTS.flatMap(imports);
  assert.deepEqual(
    VIEWS.filter((view) => !shown.includes(view) && !PARTS.includes(view)),
    [],
  );
  for (const module of ALL)
    assert.deepEqual(
      imports(module).filter((path) => path.endsWith("_page.js")),
      [],
      module,
    );
});

test("services and pure modules never touch the document", () => {
  for (const module of [...SERVICES, ...PURE]) {
    assert.doesNotMatch(
      read(`static/js/${module}`),
      /\bdocument\.|\bwindow\.|\blocation\./,
      module,
    );
  }
});

test("pure modules import pure modules only", () => {
  for (const module of PURE)
    assert.deepEqual(
      imports(module).filter((path) => !PURE.includes(path)),
      [],
      module,
    );
});

test("nothing writes HTML from text, leaves window globals or fetches, but for the words", () => {
  for (const module of ALL.filter((name) => name !== "shared/words.js")) {
    assert.doesNotMatch(
      read(`static/js/${module}`),
      /innerHTML|outerHTML|insertAdjacentHTML|\bwindow\.|(?<!#)\bfetch\(/,
      module,
    );
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

test("each page with a module says when the module did not come, and the module takes it back at its end", () => {
  const templates = list("templates/", ".html").filter((name) => !name.startsWith("_"));
  const modules = templates.flatMap((name) => {
    const text = read(`templates/${name}`);
    const [, module] = text.match(/module = "(.+?)"/) ?? [];
    // Nobody reads the overlay: it has no words of its own.
    if (!module || name === "overlay.html") return [];
    assert.match(text, /include "_scripts_wanted.html"/, name);
    return [text.includes('"_history_head.html"') ? `history/${module}` : module];
  });
  assert.equal(modules.length, 7);
  for (const module of modules) {
    // Outside of functions, and after all that the page builds.
    const [first, ...calls] = [
      ...read(`static/js/${module}`).matchAll(/^(?:const .* = )?(\w+)\(.*\);$/gm),
    ].map(([, name]) => name);
    assert.deepEqual([first, calls.at(-1)], ["openPage", "tellLoaded"], module);
  }
});

/** Composition root of /compare. */
import "./browser_language.js";
import uPlot from "/vendor/uPlot.esm.js";

import { find, openPage, tellLoaded } from "../shared/page.js";
import { serverText } from "../shared/server_errors.js";
import { buildSharePanel } from "../share/panel.js";
import { SessionsApi } from "./sessions_api.js";
import { Comparison } from "./comparison.js";
import { ComparisonChartView } from "./views/comparison_chart.js";
import { PaperView } from "./views/paper.js";
import { SidesView } from "./views/sides.js";
import { SmoothingView } from "./views/smoothing.js";

const page = openPage();
const { bus } = page;
const ids = (new URLSearchParams(location.search).get("ids") ?? "").split(",").filter(Boolean);
const comparison = new Comparison({ api: new SessionsApi(page.fetch), bus, ids });

const smoothing = buildViews();
wire();
comparison.load(smoothing.valueS);
tellLoaded();

function buildViews() {
  buildSharePanel(page);
  new ComparisonChartView(
    {
      plot: find("plot"),
      chart: find("chart"),
      shown: find("shown"),
      strips: find("strips"),
      moment: find("moment"),
      zoomIn: find("zoom-in"),
      zoomOut: find("zoom-out"),
      left: find("pan-left"),
      right: find("pan-right"),
      reset: find("zoom-reset"),
    },
    bus,
    uPlot,
  );
  new SidesView({ table: find("sides") }, bus);
  new PaperView(bus);
  return new SmoothingView({ slider: find("smoothing"), text: find("smoothing-text") }, bus);
}

function wire() {
  const show = (state) => {
    find("comparison").dataset.state = state;
    find("comparison").setAttribute("aria-busy", "false");
  };
  bus.on("comparison-changed", () => show("ready"));
  bus.on(
    "load-failed",
    ({ problem }) => (show("failed"), (find("failed-text").textContent = serverText(problem))),
  );
  bus.on("align-requested", ({ id, markerId }) => comparison.align(id, markerId));
  bus.on("smoothing-changed", ({ smoothingS }) => comparison.load(smoothingS));
}

/**
 * Shows one video: how far it is, what can be done with it, or its error in words. A part of
 * VideoListView.
 */
import { sitePath } from "../../shared/site_path.js";
import { describeVideo, progressOf } from "../video_texts.js";
import { serverText } from "../../shared/server_errors.js";
import { fromTemplate } from "../../shared/template_parts.js";
import { t } from "../../shared/words.js";

const BADGES = {
  waiting: t("Waiting"),
  uploading: t("Sending"),
  unsent: t("Not sent"),
  queued: t("In the queue"),
  running: t("Analysing"),
  finished: t("Done"),
  failed: t("Failed"),
  cancelled: t("Cancelled"),
};
const OVER = ["unsent", "finished", "failed", "cancelled"];

export class VideoRow {
  element;
  #key = "";

  /**
   * @param {HTMLTemplateElement} template
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {(id: string, part: string) => string} filePath
   */
  constructor(template, bus, filePath) {
    const { element, part } = fromTemplate(template);
    this.element = element;
    this.part = part;
    this.filePath = filePath;
    this.part("retry").addEventListener("click", () =>
      bus.emit("video-retry-requested", { key: this.#key }),
    );
    for (const name of ["cancel", "remove"]) {
      this.part(name).addEventListener("click", () =>
        bus.emit("video-remove-requested", { key: this.#key }),
      );
    }
  }

  /** @param {import("../video_jobs.js").Video} video */
  show(video) {
    const { key, name, state, error } = video;
    this.#key = key;
    this.element.dataset.state = state;
    this.part("name").textContent = this.part("name").title = name;
    this.part("badge").textContent = BADGES[state];
    this.part("text").textContent = describeVideo(video);
    // The badge and the error say it all.
    this.part("text").hidden = Boolean(error);
    this.part("error").hidden = !error;
    this.part("error").textContent = error ? serverText(error) : "";
    this.#showRemarks(video.job?.remarks ?? []);
    this.#showProgress(progressOf(video), video);
    this.#showTools(video);
  }

  #showRemarks(remarks) {
    const list = this.part("remarks");
    list.hidden = remarks.length === 0;
    if (list.children.length === remarks.length) return;
    list.replaceChildren(
      ...remarks.map((text) =>
        Object.assign(document.createElement("li"), { textContent: text, lang: "en" }),
      ),
    );
  }

  #showProgress(progress, { name, state }) {
    const bar = this.part("progress");
    bar.hidden = OVER.includes(state);
    bar.setAttribute("aria-label", t("{name}: {text}", { name, text: BADGES[state] }));
    bar.classList.toggle("is-unknown", progress === null);
    if (progress === null) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(Math.round(100 * progress)));
    bar.firstElementChild.style.setProperty("transform", `scaleX(${progress ?? 1})`);
  }

  #showTools({ name, state, job, again }) {
    const isDone = state === "finished";
    this.#showLink(
      "timeline",
      isDone && job.session ? sitePath(`/history/${encodeURIComponent(job.session)}`) : null,
    );
    this.#showLink(
      "annotated",
      isDone && job.annotated ? this.filePath(job.id, "annotated") : null,
    );
    this.#showLink("csv", isDone ? this.filePath(job.id, "table.csv") : null);
    this.part("retry").hidden = !again || state !== "unsent";
    this.part("cancel").hidden = OVER.includes(state);
    this.part("remove").hidden = !OVER.includes(state);
    this.part("cancel").setAttribute("aria-label", t("Cancel {name}", { name }));
    this.part("remove").setAttribute(
      "aria-label",
      t("Remove the files of {name} from the server", { name }),
    );
  }

  #showLink(part, href) {
    const link = this.part(part);
    link.hidden = href === null;
    if (href !== null && link.getAttribute("href") !== href) link.href = href;
  }
}

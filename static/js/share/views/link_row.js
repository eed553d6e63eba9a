/** Shows one link of the list. A part of LinkListView. */
import { KINDS, describeLink, isOpen } from "../links.js";
import { t } from "../../shared/words.js";
import { fromTemplate } from "../../shared/template_parts.js";

const COPIED_MS = 2500;

export class LinkRow {
  element;
  #part;
  #link = null;

  /**
   * @param {HTMLTemplateElement} template
   * @param {import("../../shared/event_bus.js").EventBus} bus emits link-show-requested {id},
   *   copy-requested {url}, link-video-requested {id, video}, link-revoke-requested {link}
   */
  constructor(template, bus) {
    const { element, part } = fromTemplate(template);
    this.element = element;
    this.#part = part;
    const on = (name, act) => part(name).addEventListener("click", () => act(this.#link));
    on("show", ({ id }) => bus.emit("link-show-requested", { id }));
    on("copy", ({ urls }) => bus.emit("copy-requested", { url: urls[0] }));
    on("video", ({ id, video }) => bus.emit("link-video-requested", { id, video: !video }));
    on("revoke", (link) => bus.emit("link-revoke-requested", { link }));
  }

  /**
   * @param {import("../share_api.js").SharedLink} link
   * @param {Date} now
   * @param {string | null} shownId
   */
  show(link, now, shownId) {
    this.#link = link;
    const part = this.#part;
    this.element.dataset.link = link.id;
    this.element.dataset.state = link.state;
    part("icon").setAttribute("href", `#icon-${KINDS[link.kind]?.icon ?? "share"}`);
    part("name").textContent = link.name;
    part("facts").textContent = describeLink(link, now);
    part("actions").hidden = !isOpen(link);
    part("show").setAttribute("aria-pressed", String(link.id === shownId));
    part("show").disabled = part("copy").disabled = link.urls.length === 0;
    part("video").hidden = link.kind !== "watch";
    part("video").setAttribute("aria-checked", String(link.video));
    this.#label(link);
  }

  /** The link was copied: for a moment the button says so. */
  tellCopied() {
    const { dataset } = this.#part("copy");
    dataset.isDone = "true";
    setTimeout(() => delete dataset.isDone, COPIED_MS);
  }

  #label({ name }) {
    const labels = {
      show: t("Show the QR code of {name}", { name }),
      copy: t("Copy the link {name}", { name }),
      revoke: t("Revoke {name}", { name }),
    };
    const all = { ...labels, video: t("Show the picture to the watchers of {name}", { name }) };
    for (const [part, text] of Object.entries(all))
      this.#part(part).setAttribute("aria-label", text);
  }
}

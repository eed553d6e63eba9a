/**
 * Holds the settings of the live page. What the link says wins for this page and is not stored; what
 * a person chooses is stored, and then counts instead of the link.
 *
 * Emits settings-changed {values, defaults}.
 */
import { SHOWN_AT_FIRST, readLink, writeLink } from "../shared/link_settings.js";

const NAMES = ["mirror", "smoothing", "unsure", "faces", "sound", "show"];

export class PageSettings {
  #bus;
  #preferences;
  #defaults;
  #link;

  /**
   * @param {object} deps
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {import("../shared/preferences.js").Preferences} deps.preferences
   * @param {{smoothingS: number, unsureBelow: number, maxFaces: number}} deps.server its own values
   * @param {import("../shared/link_settings.js").LinkSettings} deps.link
   */
  constructor({ bus, preferences, server, link }) {
    this.#bus = bus;
    this.#preferences = preferences;
    this.#link = { ...link };
    this.#defaults = {
      mirror: null,
      smoothing: server.smoothingS,
      unsure: server.unsureBelow,
      faces: server.maxFaces,
      sound: false,
      show: SHOWN_AT_FIRST,
    };
  }

  /** @returns {any} all settings by name; mirror null: as suits the camera */
  get values() {
    return { ...this.#defaults, ...this.#stored(), ...this.#link };
  }

  /** @param {string} name @param {any} value null: the default */
  choose(name, value) {
    delete this.#link[name];
    const text = writeLink("http://x/", { [name]: value }).split("=")[1] ?? "";
    this.#preferences.set(`setting.${name}`, text);
    this.tell();
  }

  /** @param {string} part one of SHOWN */
  toggleShown(part) {
    const { show } = this.values;
    const isOn = show.includes(part);
    this.choose("show", isOn ? show.filter((name) => name !== part) : [...show, part]);
  }

  reset() {
    this.#link = {};
    for (const name of NAMES) this.#preferences.set(`setting.${name}`, "");
    this.tell();
  }

  tell() {
    this.#bus.emit("settings-changed", { values: this.values, defaults: this.#defaults });
  }

  /** @param {string} href @returns {string} the page's address with what differs from the defaults */
  link(href) {
    const different = Object.entries(this.values).filter(
      ([name, value]) => String(value) !== String(this.#defaults[name]),
    );
    return writeLink(href, Object.fromEntries(different));
  }

  /** @returns {Record<string, number>} for the header of a frame: what the server must know */
  forServer() {
    const { smoothing, unsure, faces } = this.values;
    const wanted = { smoothing_s: smoothing, unsure_below: unsure, max_faces: faces };
    const own = this.#defaults;
    if (smoothing === own.smoothing) delete wanted.smoothing_s;
    if (unsure === own.unsure) delete wanted.unsure_below;
    if (faces === own.faces) delete wanted.max_faces;
    return wanted;
  }

  /** A stored value that no longer fits is as good as none. */
  #stored() {
    const search = new URLSearchParams();
    for (const name of NAMES) {
      const text = this.#preferences.get(`setting.${name}`);
      if (text) search.set(name, decodeURIComponent(text));
    }
    return readLink(search.toString()).values;
  }
}

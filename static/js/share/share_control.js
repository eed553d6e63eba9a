/**
 * Knows what is shared, asked again every two seconds while the panel is open, and what the host
 * does about it.
 *
 * Emits: share-changed {share, said}: said is what changed since the last look, for screen readers;
 *   share-failed {problem}: the look failed; share-trouble {title, text}: something the host asked
 *     for did.
 */
import { serverText } from "../shared/server_errors.js";
import { t } from "../shared/words.js";
import { describeChanges, linkOfSession, ofOpenLinks } from "./links.js";

const REFRESH_MS = 2000;

export class ShareControl {
  #api;
  #bus;
  #timers;
  #share = null;
  #looking = new AbortController();
  #timer = 0;
  #isOpen = false;

  /**
   * @param {object} deps
   * @param {import("./share_api.js").ShareApi} deps.api
   * @param {import("../shared/event_bus.js").EventBus} deps.bus
   * @param {{set: (act: () => void, ms: number) => number, clear: (timer: number) => void}}
   *   deps.timers
   */
  constructor({ api, bus, timers }) {
    this.#api = api;
    this.#bus = bus;
    this.#timers = timers;
  }

  /** The latest look; null before the first one. */
  get share() {
    return this.#share;
  }

  /** Look now, and again until close(). */
  open() {
    this.#isOpen = true;
    return this.refresh();
  }

  close() {
    this.#isOpen = false;
    this.#pause();
  }

  /** Look now. An answer that was under way is older than this one and counts no more. */
  async refresh() {
    this.#pause();
    const { signal } = (this.#looking = new AbortController());
    try {
      const share = await this.#api.share(signal);
      if (!signal.aborted) this.#take(share);
    } catch (problem) {
      if (!signal.aborted) this.#bus.emit("share-failed", { problem });
    }
    if (!signal.aborted && this.#isOpen)
      this.#timer = this.#timers.set(() => this.refresh(), REFRESH_MS);
  }

  /**
   * @param {{kind: string, name: string, hours?: number, session?: string, video?: boolean}} values
   * @returns {Promise<import("./share_api.js").SharedLink | null>} null: it failed, which was told
   */
  create(values) {
    return this.#do(t("The link was not made"), () => this.#api.createLink(values));
  }

  /**
   * The open link that shows this session, else a new one.
   *
   * @param {string} session
   * @param {string} name
   */
  async linkFor(session, name) {
    await this.refresh();
    if (!this.#share?.can_share) return null;
    return (
      linkOfSession(this.#share.links, session) ?? this.create({ kind: "session", name, session })
    );
  }

  setVideo(id, video) {
    return this.#do(t("The link was not changed"), () => this.#api.setVideo(id, video));
  }

  revoke(id) {
    return this.#do(t("The link was not revoked"), () => this.#api.revokeLink(id));
  }

  removeVisitor(id) {
    return this.#do(t("The visitor was not removed"), () => this.#api.removeVisitor(id));
  }

  stop() {
    return this.#do(t("Sharing was not stopped"), () => this.#api.stop());
  }

  async #do(title, act) {
    let answer = null;
    try {
      answer = await act();
    } catch (error) {
      this.#bus.emit("share-trouble", { title, text: serverText(error) });
    }
    // After a failure too: what is shown may be what made it fail.
    await this.refresh();
    return answer;
  }

  #take(told) {
    const share = ofOpenLinks(told);
    const said = describeChanges(this.#share, share);
    this.#share = share;
    this.#bus.emit("share-changed", { share, said });
  }

  #pause() {
    this.#looking.abort();
    this.#timers.clear(this.#timer);
  }
}

/**
 * Lets services and views speak to each other without knowing each other.
 *
 * Events and their details (who emits -> who listens is decided in the root of each page):
 *   toggle-requested, mirror-toggle-requested, fullscreen-requested, snapshot-requested,
 *   hud-toggle-requested, help-requested, notice-requested, notice-accepted, reconnect-requested,
 *   record-toggle-requested, marker-requested, pause-toggle-requested, clip-toggle-requested,
 *   pip-toggle-requested: none
 *   camera-selected      {deviceId}
 *   cameras-changed      {cameras: {deviceId, label}[], selectedId}
 *   session-changed      {state: "idle" | "starting" | "live" | "problem", stream, isUserFacing,
 *     problem}
 *   mirror-changed       {isMirrored}
 *   fullscreen-changed   {isFullscreen}
 *   pause-changed        {isPaused}: the picture stands still; false before each end of a session
 *   sight-changed        {isHidden}: nobody can see the page
 *   clip-changed         see Clip in clip.js; clip-ended {blob, ending, seconds, reason}
 *   pip-changed          {isOn, problem, screen}, see picture_in_picture.js
 *   settings-changed     {values, defaults}, see live/page_settings.js; show-changed {show, scale}:
 *     some of SHOWN in link_settings.js; scale: of the overlay, 1 unless told
 *   affect-changed       {people, all}, see shared/moods.js
 *   connection-changed   {state: "connecting" | "connected" | "reconnecting" | "moving" | "closed" | "over",
 *     message, hasFailed}
 *   goodbye              {code, message, retryable}: the server's reason, just before it
 *     disconnects us
 *   farewell             {problem: {kind, title, text, steps, isFinal}}: this visitor's time here
 *     is over, see goodbyes.js
 *   video-frame          {capturedMs, nowMs}: a new picture is on the screen
 *   result               see FrameAnswer in frame_pump.js
 *   frame-dropped        {seq, reason}
 *   frame-refused        {seq, error: {code, message, retryable}}
 *   statistics           see StatisticsSnapshot in statistics.js
 *   recording-saved      {session, samples, untilS}; recording-problem {code, message, retryable}:
 *     by the server
 *   recording-changed    {state, isWanted, isLive, session, startedMs, problem, finished}, see
 *     recording.js
 *   watched-changed      {watchers, hasVideo}: how many people watch this page, by the server
 *   marker-added         {session, id, atS, text}; marker-named {session, id, text}
 *   rules-changed        {rules, canSend}; rule-added none; rule-edited {index, rule}; rule-removed
 *     {index}, see stream_rules.js; rule-fired {rule, hasSound}; rule-sound-wanted none
 *   marker-placed        {marker: {session, id, atS, text}}: by a rule
 *   receivers-changed    {receivers}, see receiver_states.js; drawer-changed {isOpen}: the settings
 *   correction-requested {id}: of the face, null for the first; correction-changed: see
 *     CorrectionState in live/correction_flow.js
 *   message              {id, tone, title, text, action: {label, request, detail}, link: {label,
 *     href}, lastsMs}; message-cleared {id}
 * The pages of the history, of watching and the Share panel have events of their own, see history/,
 * watch/ and share/.
 */
export class EventBus {
  #target = new EventTarget();

  /**
   * @param {AbortSignal} [signal] ends the page: all that listens to the bus goes, and views listen
   *   to elements with it too
   */
  constructor(signal = new AbortController().signal) {
    this.signal = signal;
  }

  /** @param {string} type @param {(detail: any) => void} handler */
  on(type, handler) {
    this.#target.addEventListener(
      type,
      (event) => handler(/** @type {CustomEvent} */ (event).detail),
      { signal: this.signal },
    );
  }

  /** @param {string} type @param {any} [detail] */
  emit(type, detail) {
    this.#target.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

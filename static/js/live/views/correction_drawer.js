/** Shows the drawer in which one person is asked for their resting face, or for all expressions. */
import { setText } from "../../shared/emotion_bar.js";
import { capitalise, emotionName, formatPercentage } from "../../shared/format.js";
import { emotionColour } from "../../shared/palette.js";
import { partsOf } from "../../shared/template_parts.js";
import { t } from "../../shared/words.js";

/** Smaller shares of a row are chance. */
const LEAST_SHARE = 0.05;

const HINTS = {
  neutral: t("Relax your whole face, as when you think of nothing."),
  happy: t("Raise your cheeks and the corners of your mouth."),
  surprise: t("Raise your brows, open your eyes wide, and drop your jaw."),
  sad: t("Raise the inner ends of your brows, and draw down the corners of your mouth."),
  angry: t("Draw your brows down and together, and press your lips."),
  disgust: t("Wrinkle your nose, and raise your upper lip."),
  fear: t("Raise your brows and draw them together, open your eyes wide, and stretch your lips."),
};
const PANE_OF = {
  menu: "menu",
  ready: "take",
  taking: "take",
  judging: "take",
  result: "result",
  problem: "problem",
};

export class CorrectionDrawerView {
  #drawer;
  #stage;
  #part;
  #flow;
  #names = new Map();
  #opener = null;
  #pane = null;
  #shownTable = null;

  /**
   * @param {{drawer: HTMLDialogElement, open: HTMLButtonElement, stage: HTMLElement}} elements
   * @param {import("../../shared/event_bus.js").EventBus} bus
   * @param {import("../correction_flow.js").CorrectionFlow} flow
   */
  constructor({ drawer, open, stage }, bus, flow) {
    this.#drawer = drawer;
    this.#stage = stage;
    this.#part = partsOf(drawer);
    this.#flow = flow;
    bus.on("correction-changed", (state) => this.#show(state));
    bus.on("correction-requested", ({ id }) => this.#open(id));
    bus.on("names-changed", ({ names }) => (this.#names = names));
    bus.on("session-changed", ({ state }) => (open.disabled = state !== "live"));
    const { signal } = bus;
    open.addEventListener("click", () => this.#open(null), { signal });
    drawer.addEventListener("click", ({ target }) => this.#press(target), { signal });
    drawer.addEventListener("change", ({ target }) => this.#change(target), { signal });
    drawer.addEventListener("keydown", (event) => this.#closeByEscape(event), { signal });
  }

  #open(faceId) {
    if (!this.#drawer.open) this.#opener = document.activeElement;
    this.#flow.open(faceId);
  }

  #closeByEscape(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    this.#flow.close();
  }

  #press(target) {
    const name = target.closest("button")?.dataset.part;
    const flow = this.#flow;
    const actions = {
      close: () => flow.close(),
      done: () => flow.close(),
      resting: () => flow.begin("resting"),
      check: () => flow.begin("check"),
      skip: () => flow.skip(),
      cancel: () => flow.cancel(),
      again: () => flow.cancel(),
      back: () => flow.cancel(),
      use: () => flow.use(),
      remove: () => flow.remove(),
      drop: () => flow.remove(),
      earlier: () => flow.useEarlier(),
      forget: () => flow.forgetEarlier(),
    };
    actions[name]?.();
  }

  #change(target) {
    if (target.dataset.part === "face") this.#flow.choose(Number(target.value));
    else if (target.name === "keep") this.#flow.keep(target.checked);
  }

  /** @param {import("../correction_flow.js").CorrectionState} state */
  #show(state) {
    const pane = PANE_OF[state.step] ?? null;
    if (pane === null) return this.#close();
    const isOther = pane !== this.#pane || !this.#drawer.open;
    if (isOther) this.#turnTo(pane);
    const show = {
      menu: () => this.#showMenu(state),
      take: () => this.#showTake(state),
      result: () => this.#showResult(state),
      problem: () => setText(this.#part("problem"), state.problem),
    };
    show[pane]();
    setText(this.#part("who"), this.#nameOf(state.faceId));
    if (isOther || this.#hasLostFocus()) this.#focusPane();
    return undefined;
  }

  /** Not modal: the picture beside it shows the person. */
  #turnTo(pane) {
    this.#pane = pane;
    for (const each of this.#drawer.querySelectorAll("[data-pane]"))
      /** @type {HTMLElement} */ (each).hidden =
        /** @type {HTMLElement} */ (each).dataset.pane !== pane;
    if (!this.#drawer.open) this.#drawer.show();
    // From a card far below, a person would not see who is looked at.
    const { top } = this.#stage.getBoundingClientRect();
    if (pane === "take" && (top < 0 || top > innerHeight / 3))
      this.#stage.scrollIntoView({ block: "start" });
  }

  /** A button that is hidden by its own effect would take the focus out of the drawer, and Escape with it. */
  #hasLostFocus() {
    const focused = /** @type {HTMLElement | null} */ (document.activeElement);
    return this.#drawer.contains(focused) && focused?.offsetParent === null;
  }

  /** The focus follows what is shown: what it was on is hidden. */
  #focusPane() {
    const selector = `[data-pane="${this.#pane}"] [data-first]`;
    /** @type {HTMLElement | null} */ (this.#drawer.querySelector(selector))?.focus();
  }

  #close() {
    if (!this.#drawer.open) return;
    this.#pane = null;
    this.#drawer.close();
    const opener = /** @type {HTMLElement | null} */ (this.#opener);
    const isThere = opener?.isConnected && opener.offsetParent !== null;
    (isThere ? opener : this.#stage).focus({ preventScroll: true });
  }

  #nameOf(id) {
    return id === null ? t("Nobody in view") : (this.#names.get(id) ?? t("Face {id}", { id }));
  }

  #showMenu(state) {
    const { corrected, earlier, isKept, faceId, isInView } = state;
    this.#fillFaces(state);
    for (const name of ["resting", "check"]) this.#part(name).disabled = !isInView;
    this.#part("corrected").hidden = corrected === null;
    setText(
      this.#part("corrected-text"),
      corrected === "check"
        ? t("Corrected by the check.")
        : corrected === "resting"
          ? t("Corrected by the resting face.")
          : "",
    );
    this.#showKeep(this.#part("menu-keep"), { isOffered: corrected !== null, isKept });
    this.#part("earlier-row").hidden = earlier === null;
    this.#part("earlier").disabled = faceId === null || !isInView;
  }

  /** One person needs no choice. */
  #fillFaces({ faces, faceId }) {
    const ids = [...new Set([...faces, ...(faceId === null ? [] : [faceId])])].sort(
      (a, b) => a - b,
    );
    const select = this.#part("face");
    const texts = ids.map((id) => this.#nameOf(id));
    if (select.dataset.texts !== String(texts)) {
      select.dataset.texts = String(texts);
      select.replaceChildren(...ids.map((id, i) => new Option(texts[i], String(id))));
    }
    select.value = String(faceId ?? "");
    select.closest("label").hidden = ids.length < 2;
    setText(this.#part("nobody"), faces.length === 0 ? t("Nobody is in view.") : "");
  }

  #showKeep(row, { isOffered, isKept }) {
    row.hidden = !isOffered;
    row.querySelector("input").checked = isKept;
  }

  #showTake(state) {
    const { expression, step, leftS, share, kind, number, count } = state;
    if (expression) {
      setText(this.#part("expression"), capitalise(emotionName(expression)));
      setText(this.#part("hint"), HINTS[expression]);
      const drawing = this.#part("drawing");
      drawing.setAttribute("href", `#pose-${expression}`);
      drawing.closest("svg").style.setProperty("--emotion", emotionColour(expression));
    }
    const isCheck = kind === "check";
    setText(this.#part("number"), isCheck ? t("{number} of {count}", { number, count }) : "");
    setText(this.#part("count"), step === "ready" ? String(leftS) : "");
    const isHeld = step === "taking" || (step === "judging" && share >= 1);
    setText(this.#part("told"), this.#tell(state, isHeld));
    this.#part("bar").style.setProperty("transform", `scaleX(${isHeld ? share.toFixed(2) : 0})`);
    this.#part("skip").hidden = !isCheck;
  }

  #tell({ isInView, isStalled, faceId, step }, isHeld) {
    if (isStalled) return t("No pictures come. It goes on with them.");
    if (!isInView && step !== "judging")
      return t("{name} is not in view. It waits, and goes on when the face is back.", {
        name: this.#nameOf(faceId),
      });
    return isHeld ? t("Hold it.") : t("Get ready, and look at the camera.");
  }

  #showResult(state) {
    const { result, kind, isUsed } = state;
    const isCheck = kind === "check";
    const has = result.offsets !== null;
    setText(this.#part("result-title"), isCheck ? t("Your own table") : t("Your resting face"));
    setText(this.#part("result-text"), isCheck ? tellCheck(result) : tellResting(result, isUsed));
    this.#part("table").hidden = !isCheck;
    if (isCheck && result.table !== this.#shownTable) this.#fillTable(result.table);
    this.#part("use").hidden = !has || isUsed;
    this.#part("drop").hidden = !isUsed;
    this.#showKeep(this.#part("result-keep"), { isOffered: isUsed, isKept: state.isKept });
  }

  #fillTable(table) {
    this.#shownTable = table;
    const rows = Object.entries(table).map(([shown, shares]) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = capitalise(emotionName(shown));
      const cell = document.createElement("td");
      cell.append(...shareParts(shown, shares));
      row.append(head, cell);
      return row;
    });
    this.#part("table")
      .querySelector("tbody")
      .replaceChildren(...rows);
  }
}

/** What one expression was taken for, the most frequent first. */
function shareParts(shown, shares) {
  return Object.entries(shares)
    .filter(([, share]) => share >= LEAST_SHARE)
    .sort(([, a], [, b]) => b - a)
    .map(([name, share]) => {
      const part = document.createElement("span");
      part.className = name === shown ? "taken-for is-right" : "taken-for";
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.setProperty("--emotion", emotionColour(name));
      part.append(swatch, `${emotionName(name)} ${formatPercentage(share)}`);
      return part;
    });
}

function tellResting({ called, before, after, offsets }, isUsed) {
  const shares = { before: formatPercentage(before), after: formatPercentage(after) };
  if (offsets === null && called === "neutral")
    return t(
      "It was called neutral in {before} of the views. Nothing needs to be corrected.",
      shares,
    );
  if (offsets === null)
    return t("It was called {name}. No small correction helps: was it your resting face?", {
      name: emotionName(called),
    });
  return isUsed
    ? t("Called neutral before: {before} of the views. Now: {after}.", shares)
    : t("Called neutral: {before} of the views. With the correction: {after}.", shares);
}

function tellCheck({ before, after, offsets }) {
  const shares = { before: formatPercentage(before), after: formatPercentage(after) };
  return offsets === null
    ? t(
        "Right: {before} of the views. No correction would help on views that it did not see.",
        shares,
      )
    : t(
        "Right: {before} of the views. With a correction, on views that it did not see: {after}.",
        shares,
      );
}

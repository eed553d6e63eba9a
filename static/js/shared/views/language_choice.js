/** Lets a person choose the language of all pages. It is kept in a cookie: the server reads it. */
import { sitePath } from "../site_path.js";
const COOKIE = "fer_lang";
const YEAR_S = 31_536_000;

export class LanguageChoiceView {
  /**
   * @param {HTMLSelectElement[]} choices
   * @param {AbortSignal} signal
   * @param {{page: Document, place: Location}} browser
   */
  constructor(choices, signal, { page, place }) {
    for (const choice of choices) {
      choice.addEventListener(
        "change",
        () => {
          page.cookie = `${COOKIE}=${choice.value}; path=${sitePath("/")}; max-age=${YEAR_S}; SameSite=Lax`;
          place.replace(withoutLanguage(place.href));
        },
        { signal },
      );
    }
  }
}

/** The link's language is for one visit; the choice that was made now counts. */
export function withoutLanguage(href) {
  const url = new URL(href);
  url.searchParams.delete("lang");
  url.hash = "";
  return url.href;
}

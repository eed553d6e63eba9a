/**
 * Puts what the page says into its language. The English text in the source is the key; what has no
 * translation stays English.
 */

/** Of the page, as its server chose it: a tag such as "de". */
export const language = globalThis.document?.documentElement?.lang || "en";

/** For dates: the reader's own way of writing them where the browser has one in this language. */
export const locale =
  globalThis.navigator?.languages?.find((tag) => tag.split("-")[0] === language) ?? language;

/** Waited for here, once: every module that imports this one may translate from its first line. */
const table = await load();
const plurals = new Intl.PluralRules(language);

async function load() {
  const meta = globalThis.document?.querySelector?.('meta[name="fer-words"]');
  if (!meta) return {};
  try {
    const answer = await globalThis.fetch(/** @type {HTMLMetaElement} */ (meta).content);
    return answer.ok ? await answer.json() : {};
  } catch {
    return {}; // English is better than no page
  }
}

/**
 * @param {string} text English, with {names} for what is filled in
 * @param {Record<string, unknown>} [values]
 */
export const t = (text, values) => fill(table[text] ?? text, values);

/**
 * @param {number} count filled in as {count}
 * @param {string} one English for one, such as "{count} face"
 * @param {string} other English for any other number; the key of the table
 * @param {Record<string, unknown>} [values]
 */
export function plural(count, one, other, values) {
  const forms = table[other] ?? { one, other };
  const kind = plurals.select(count);
  const text = forms[kind] ?? forms.other;
  return fill(text, { count: formatNumber(count), ...values });
}

/** @param {number} number @param {Intl.NumberFormatOptions} [options] */
export const formatNumber = (number, options) => number.toLocaleString(language, options);

function fill(text, values) {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) =>
    name in values ? String(values[name]) : whole,
  );
}

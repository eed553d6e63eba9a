/** Tells whether a key is free to be a shortcut: nothing else needs it. Pure. */
const USES_KEYS = "input, select, textarea, [contenteditable]";
const USES_SPACE = "button, a, summary";

/**
 * @param {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "repeat" | "isComposing" |
 *   "target">} event
 * @returns {string | undefined} the key, letters in lower case; undefined: it is not for us
 */
export function singleKey({ key, ctrlKey, metaKey, altKey, repeat, isComposing, target }) {
  const element = /** @type {Element | null} */ (target);
  if (ctrlKey || metaKey || altKey || repeat || isComposing) return undefined;
  if (element?.closest?.(USES_KEYS)) return undefined;
  if (key === " " && element?.closest?.(USES_SPACE)) return undefined;
  return key.length === 1 ? key.toLowerCase() : key;
}

/** Gives the browser a language where it has none. Imported before uPlot, which asks for it at once. */

/**
 * WebKit on Linux calls the system's language "C", which no Intl takes: a chart's page would not load.
 *
 * @param {{language: string}} platform
 */
export function mendLanguage(platform) {
  try {
    Intl.getCanonicalLocales(platform.language);
  } catch {
    Object.defineProperty(platform, "language", { value: "en", configurable: true });
  }
}

if (globalThis.navigator) mendLanguage(navigator);

import assert from "node:assert/strict";
import { test } from "node:test";

import { mendLanguage } from "../../../static/js/history/browser_language.js";

for (const [told, kept] of [
  ["C", "en"],
  ["", "en"],
  ["de-AT", "de-AT"],
]) {
  test(`language ${JSON.stringify(told)} becomes ${kept}`, () => {
    // As in a browser, where it is a property of the prototype that nobody may write.
    const platform = Object.create(Object.create(null, { language: { get: () => told } }));
    mendLanguage(platform);
    assert.equal(platform.language, kept);
    assert.equal(new Intl.NumberFormat(platform.language).format(1), "1");
  });
}

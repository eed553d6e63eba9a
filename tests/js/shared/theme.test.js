import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { contrast } from "../../../static/js/shared/palette.js";

const css = readFileSync(new URL("../../../static/css/tokens.css", import.meta.url), "utf8");
const [light, dark] = css
  .split(':root[data-theme="dark"]')
  .map((part) =>
    Object.fromEntries(
      [...part.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour]),
    ),
  );

const PAIRS = [
  ["text", ["page", "surface", "surface-hover", "warn-soft", "bad-soft"]],
  ["text-soft", ["page", "surface", "surface-hover"]],
  ["accent", ["page", "surface", "accent-soft"]],
  ["on-accent", ["accent", "accent-hover"]],
  ["warn", ["surface", "warn-soft"]],
  ["bad", ["surface", "bad-soft"]],
];

for (const [theme, colours] of Object.entries({ light, dark })) {
  test(`text of the ${theme} theme passes AA on every ground it stands on`, () => {
    for (const [text, grounds] of PAIRS) {
      for (const ground of grounds) {
        const ratio = contrast(colours[text], colours[ground]);
        assert.ok(ratio >= 4.5, `${text} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  });
}

test("both themes define the same colours", () =>
  assert.deepEqual(Object.keys(light).sort(), Object.keys(dark).sort()));

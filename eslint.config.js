/** What ESLint asks of the pages' modules and of their tests. How they are laid out is Prettier's. */
import js from "@eslint/js";
import globals from "globals";

const rules = {
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
  eqeqeq: "error",
  "prefer-const": "error",
  "no-var": "error",
};

export default [
  js.configs.recommended,
  { files: ["static/js/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  { files: ["static/js/shared/theme_boot.js"], languageOptions: { sourceType: "script" } },
  { files: ["tests/js/**/*.js", "*.js"], languageOptions: { globals: globals.node }, rules },
];

"""Looks for what keeps people from using a page, with axe-core, in both themes and at two sizes."""

from functools import cache

from tests.support.servers import ROOT

SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
THEMES = ("light", "dark")

RUN_JS = """async (rules) => {
  // What fades or waits is looked at as it will stay.
  for (const each of document.getAnimations()) {
    if (Number.isFinite(each.effect.getComputedTiming().endTime)) each.finish();
  }
  const chosen = rules ? { runOnly: rules } : { rules: { "target-size": { enabled: true } } };
  const { violations } = await axe.run(document, { ...chosen, resultTypes: ["violations"] });
  // What lies under an open menu is not there to be pressed.
  const isCovered = ({ any }) => any.some(({ message }) => message.includes("obscured"));
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.filter((node) => !isCovered(node))
      .map(({ target, any }) => `${id}: ${help}: ${target.join(" ")} ${any[0]?.message ?? ""}`));
}"""


@cache
def _source():
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()


def violations(page, state):
    """All that axe-core finds on the page as it stands: texts that begin with the state, size and theme.

    The page is neither loaded again nor left: its size and its theme are changed in place, and given back.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_source())
    before, theme = page.viewport_size, page.evaluate("document.documentElement.dataset.theme")
    found = []
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for each in THEMES:
            page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", each)
            # A theme changes colours alone.
            rules = None if each == THEMES[0] else ["color-contrast"]
            found += [f"{state}, {size}, {each}: {text}" for text in page.evaluate(RUN_JS, rules)]
    page.set_viewport_size(before)
    page.evaluate("(theme) => (document.documentElement.dataset.theme = theme)", theme)
    return found

"""What a person meets in the first minute: the notice, the phone's layout, the film, a dropped file."""

import pytest

from tests.support.browser.live_page import LivePage

PHONES = [(390, 844), (320, 640)]
PHONE = {"is_mobile": True, "has_touch": True}

IN_VIEW_JS = """
(selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
}
"""


@pytest.mark.parametrize("size", [(1280, 720), *PHONES])
def test_notice_is_short_and_its_buttons_stay_in_view(server, browser_with_face, size):
    viewport = {"width": size[0], "height": size[1]}
    live = LivePage(browser_with_face, server.url, accept_notice=False, viewport=viewport)
    live.page.click("#start-stop")
    assert len(live.page.inner_text("#notice").split()) < 90
    assert live.page.evaluate("document.activeElement.id") == "notice-accept"
    for _ in range(2):
        assert live.page.evaluate(IN_VIEW_JS, "#notice-accept")
        assert live.page.evaluate(IN_VIEW_JS, "#notice-decline")
        live.page.click("#notice-details summary")
    live.page.click("#notice-details summary")
    assert "article 50(3)" in live.page.inner_text("#notice")
    last = live.page.locator("#notice-details a")
    last.focus()
    foot = live.page.locator("#notice .dialog-actions").bounding_box()
    box = last.bounding_box()
    assert box["y"] + box["height"] <= foot["y"], "the buttons lie over what has the focus"


def test_record_switch_of_the_notice_is_that_of_the_page(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, accept_notice=False)
    live.page.click("#start-stop")
    assert live.page.get_attribute("#notice-record", "aria-checked") == "true"
    live.page.click("#notice-record")
    assert live.page.get_attribute("#notice-record", "aria-checked") == "false"
    assert live.page.get_attribute("#record", "aria-checked") == "false"
    live.page.click("#notice-accept")
    live.wait_for_faces(1)
    assert live.page.inner_text("#recorder-state") == "This session is not recorded"
    assert live.errors == []


def test_figures_are_folded_until_asked_for_and_then_remembered(server, browser_with_face):
    live = LivePage(browser_with_face, server.url, has_hud=False)
    live.start()
    assert live.page.is_hidden("#hud")
    live.page.keyboard.press("h")
    assert live.page.is_visible("#hud")
    assert live.page.get_attribute("#hud-toggle", "aria-pressed") == "true"
    live.wait_until_figure_passes("answered", 0)
    live.page.reload()
    assert live.page.is_visible("#hud")
    live.page.click("#hud-toggle")
    live.page.reload()
    live.wait_until("document.getElementById('not-loaded') === null")
    assert live.page.is_hidden("#hud")

"""One person's correction on the live page: the resting face, and the check of all expressions."""

import json

import pytest

from tests.support.browser.axe import SIZES
from tests.support.browser.browsers import chromium_with_camera
from tests.support.browser.fake_camera import resting_face_video, two_faces_video
from tests.support.browser.live_page import LivePage

TOLD = "document.querySelector('#correction [data-part=told]').textContent"
RESULT = "document.querySelector('[data-pane=result]').hidden === false"
STORED = "localStorage.getItem('fer-web.correction')"


@pytest.fixture
def phone_with_resting_face(server, videos):
    """A narrow page in front of somebody whose brows look angry, and who leaves for a second now and then."""
    with chromium_with_camera(resting_face_video(videos)) as browser:
        yield LivePage(browser, server.url, has_hud=False, viewport=SIZES["phone"])


def test_resting_face_waits_for_the_person_helps_and_is_kept_on_request(phone_with_resting_face):
    live = phone_with_resting_face
    page, drawer = live.page, live.page.locator("#correction")
    live.start()
    page.locator(".face-adjust").click()
    drawer.get_by_role("button", name="My resting face").click()
    live.wait_until("document.getElementById('person-sign').textContent !== ''")
    assert page.locator("#person-sign").is_visible()
    live.wait_until(f"{TOLD}.includes('is not in view. It waits')")
    assert not page.locator("#person-sign").is_visible()
    live.wait_until(RESULT)
    text = drawer.locator("[data-part=result-text]")
    text.get_by_text("Called neutral before:").wait_for()
    before, after = (float(part.split("%")[0].strip(" >")) for part in text.inner_text().split(":")[1:])
    assert after > before
    live.wait_until("document.querySelector('.face-adjust')?.textContent.includes('Adjusted to this person')")
    assert page.evaluate(STORED) is None, "nothing is kept unasked"

    drawer.get_by_role("checkbox", name="Keep these seven numbers").check()
    kept = json.loads(page.evaluate(STORED))
    assert kept["offsets"]["angry"] < 0
    assert {type(value) for value in kept["offsets"].values()} <= {int, float}
    drawer.get_by_role("button", name="Remove").click()
    live.wait_until("!document.querySelector('.face-card.is-adjusted')")
    drawer.get_by_role("button", name="Back").click()
    drawer.get_by_role("button", name="Use the earlier numbers").click()
    live.wait_until("Boolean(document.querySelector('.face-card.is-adjusted'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]["width"]
    page.keyboard.press("Escape")
    assert not drawer.is_visible()
    assert live.errors == []


def test_check_asks_for_expressions_in_turn_and_shows_the_persons_table_by_keyboard(server, videos):
    with chromium_with_camera(two_faces_video(videos)) as browser:
        live = LivePage(browser, server.url, has_hud=False)
        page, drawer = live.page, live.page.locator("#correction")
        live.start(faces=2)
        page.locator(".face-card").nth(1).locator(".face-adjust").focus()
        page.keyboard.press("Enter")
        assert drawer.get_by_label("Person").locator("option").all_inner_texts() == ["Face 1", "Face 2"]
        second = page.locator(".face-card").nth(1).get_attribute("data-face-id")
        assert drawer.get_by_label("Person").input_value() == second
        drawer.get_by_role("button", name="Check it on me").focus()
        page.keyboard.press("Enter")
        asked = []
        for _ in range(7):
            live.wait_until("document.querySelector('.pose-count').textContent !== ''")
            asked.append(drawer.locator("[data-part=expression]").inner_text())
            assert page.locator("#correction [data-part=drawing]").get_attribute("href").startswith("#pose-")
            if len(asked) in (1, 3):
                number = len(asked)
                live.wait_until(
                    f"document.querySelector('[data-part=number]').textContent !== '{number} of 7'"
                )
            else:
                drawer.get_by_role("button", name="Skip").press("Enter")
                page.wait_for_timeout(200)
        assert sorted(asked) == ["Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"]
        live.wait_until(RESULT)
        heads = drawer.locator("tbody th").all_inner_texts()
        assert heads == ["Neutral", "Surprise"]
        cells = drawer.locator("tbody td").all_inner_texts()
        face = page.locator(".face-card").nth(1).locator(".face-label").inner_text().lower()
        assert all(f"{face} " in cell for cell in cells), "two photos show the same face all the time"
        assert "No correction would help" in drawer.locator("[data-part=result-text]").inner_text()
        assert not drawer.get_by_role("button", name="Use the correction").is_visible()
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.dataset.part") == "adjust"
        assert live.errors == []

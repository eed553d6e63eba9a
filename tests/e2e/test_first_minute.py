"""What a person meets in the first minute: the notice, the phone's layout, the film, a dropped file."""

from base64 import b64encode

import cv2
import pytest

from tests.support.browser.browsers import chromium
from tests.support.browser.live_page import LivePage
from tests.support.faces import astronaut_bgr

PHONES = [(390, 844), (320, 640)]
PHONE = {"is_mobile": True, "has_touch": True}

IN_VIEW_JS = """
(selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
}
"""


SMALL_TARGETS_JS = """
() => [...document.querySelectorAll("a, button, select, summary, input, [role=switch]")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => !element.matches(".skip-link"))
  .map((element) => [element.id || element.textContent.trim(), element.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)
"""


HAND_JS = """
([selector, name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  const send = (event) => !document.querySelector(selector).dispatchEvent(event);
  %s
}
"""
DROP_JS = (
    HAND_JS
    % """
  const drag = (type) => send(new DragEvent(type, { ...options, dataTransfer: transfer }));
  return [drag("dragover"), drag("drop")];
"""
)
PASTE_JS = (
    HAND_JS
    % """
  return [send(new ClipboardEvent("paste", { ...options, clipboardData: transfer }))];
"""
)
"""They drop or paste a picture, and say whether the browser was kept from opening it in the page's stead."""


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
    live.reload()
    assert live.page.is_visible("#hud")
    live.page.click("#more summary")
    live.page.click("#hud-toggle")
    live.reload()
    live.wait_until("document.getElementById('not-loaded') === null")
    assert live.page.is_hidden("#hud")


@pytest.mark.parametrize("size", PHONES)
def test_phone_shows_a_large_picture_one_start_button_and_no_small_target(server, browser_with_face, size):
    viewport = {"width": size[0], "height": size[1]}
    live = LivePage(browser_with_face, server.url, has_hud=False, viewport=viewport, **PHONE)
    starts = live.page.get_by_role("button", name="Start")
    assert [start.inner_text() for start in starts.all()] == ["Start camera"]
    assert starts.bounding_box()["width"] > size[0] * 0.8
    assert not {"press", "key"} & set(live.page.inner_text("body").lower().split())
    for start in (lambda: None, live.start):
        start()
        stage = live.page.locator("#stage").bounding_box()
        assert stage["y"] < 80
        assert stage["height"] >= size[1] / 2
        assert live.page.evaluate(SMALL_TARGETS_JS) == []
        for control in ("#start-stop", "#record"):
            assert live.page.evaluate(IN_VIEW_JS, control), control
    assert live.page.evaluate(IN_VIEW_JS, "#fullscreen")


@pytest.mark.parametrize("path", ["/", "/analyze", "/history", "/api"])
def test_header_of_a_phone_has_a_menu_of_words(server, browser_with_face, path):
    viewport = {"width": 320, "height": 640}
    live = LivePage(browser_with_face, server.url + path, viewport=viewport, **PHONE)
    assert live.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert live.page.is_hidden(".header-nav a[href='/history']")
    live.page.click("#menu-open")
    words = live.page.inner_text("#header-nav").split()
    assert {"Analyze", "History", "Share"} < set(words)
    assert live.page.evaluate(IN_VIEW_JS, "#header-nav")
    live.page.click("#share-open")
    assert live.page.is_visible("#share")
    assert live.page.is_hidden("#header-nav")


def test_film_goes_through_the_whole_pipeline_and_says_that_it_is_one(server):
    with chromium("--use-fake-device-for-media-stream=device-count=0") as browser:
        live = LivePage(browser, server.url, accept_notice=False)
        live.page.click("#film-start")
        live.wait_for_faces(2)
        assert "film" in live.page.inner_text("#stage .film-sign").lower()
        assert live.page.get_attribute("#video", "aria-label") == "Film"
        live.wait_for_boxes(2)
        labels = live.page.locator(".face-card .face-label")
        assert set(labels.all_inner_texts()) <= {"Happy", "Neutral", "Sad"}
        # Not a mirror, unlike one's own picture.
        assert live.page.evaluate("getComputedStyle(document.getElementById('video')).transform") == "none"
        live.wait_until("document.getElementById('recorder').dataset.state === 'recording'")
        live.page.keyboard.press("Space")
        live.wait_for_state("idle")
        assert live.page.is_hidden("#stage .film-sign")
        live.page.click("#recorder-link")
        live.page.wait_for_url("**/history/*")
        assert live.errors == []


def test_no_camera_offers_the_film(server):
    with chromium("--use-fake-device-for-media-stream=device-count=0") as browser:
        live = LivePage(browser, server.url)
        live.page.click("#start-stop")
        live.page.wait_for_selector("#problem[data-kind]", state="visible")
        assert "film" in live.page.inner_text("#problem-steps")
        live.page.click("#problem-film")
        live.wait_for_faces(2)
        assert live.errors == []


def test_film_that_does_not_come_in_any_form_says_so(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    asked = []
    live.page.route("**/film/*", lambda route: (asked.append(route.request.url[-5:]), route.abort()))
    live.page.click("#film-start")
    live.page.wait_for_selector("#problem[data-kind=film]", state="visible")
    assert asked == [".webm", "s.mp4"]
    assert live.page.is_hidden("#problem-film")
    live.page.click("#retry")
    live.wait_for_faces(1)


def drop(live, selector="#stage", script=DROP_JS):
    """Drop a portrait on the page, or paste it."""
    picture = b64encode(cv2.imencode(".png", astronaut_bgr())[1]).decode()
    assert all(live.page.evaluate(script, [selector, "portrait.png", picture]))


def test_picture_that_is_dropped_on_the_live_page_is_analysed_once(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    drop(live)
    live.page.wait_for_url("**/analyze")
    live.page.wait_for_selector("#viewer[data-state=done]")
    assert live.page.inner_text("#viewer-name") == "portrait.png"
    assert live.page.locator("#tiles .tile").count() == 1
    live.reload()
    live.wait_until("document.getElementById('not-loaded') === null")
    live.page.wait_for_timeout(500)
    assert live.page.locator("#tiles .tile").count() == 0
    assert live.errors == []


def test_picture_that_is_pasted_into_a_running_stream_waits(server, browser_with_face):
    live = LivePage(browser_with_face, server.url)
    live.start()
    drop(live, "body", PASTE_JS)
    with live.context.expect_page() as opened:
        live.page.click('[data-message="dropped"] a')
    opened.value.wait_for_selector("#viewer[data-state=done]")
    assert live.page.get_attribute("#stage", "data-state") == "live"


def test_file_that_is_dropped_where_nothing_takes_it_opens_no_other_page(server, browser_with_face):
    live = LivePage(browser_with_face, f"{server.url}/history")
    drop(live, "h1")
    assert live.page.url == f"{server.url}/history"

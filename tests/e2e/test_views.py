"""Full screen, pause, clip, small window and the overlay for other programs, in a real browser."""

import av
import cv2
import numpy as np
import pytest

from tests.e2e.test_watch import watch, with_cookie
from tests.support.browser.browsers import chromium_with_camera
from tests.support.browser.fake_camera import left_face_video
from tests.support.browser.live_page import LivePage
from tests.support.watched_server import WatchedServer

GROUND_JS = """() => [document.documentElement, document.body].map(
  (each) => getComputedStyle(each).backgroundColor)"""


@pytest.fixture(scope="module")
def watched():
    with WatchedServer() as running:
        yield running


def is_visible(live, selector):
    return live.page.evaluate(
        "(selector) => document.querySelector(selector).checkVisibility({ visibilityProperty: true })",
        selector,
    )


def assert_presentation(live):
    """Picture and large bars alone; controls when something moves; Escape leaves."""
    live.page.keyboard.press("f")
    live.wait_until("document.querySelector('.shell.is-presenting') !== null")
    live.wait_until("document.querySelector('.shell.is-quiet') !== null")
    assert is_visible(live, "#large-bars .large-face .bar.is-top")
    assert not is_visible(live, "#fullscreen")
    box = live.page.locator("#stage").bounding_box()
    assert (box["x"], box["y"], box["height"]) == (0, 0, 720)
    live.page.mouse.move(200, 200)
    live.wait_until("document.querySelector('.shell.is-quiet') === null")
    assert is_visible(live, "#fullscreen")
    live.page.keyboard.press("Escape")
    live.wait_until("document.querySelector('.shell.is-presenting') === null")
    assert not is_visible(live, "#large-bars")


def test_live_page_presents_pauses_and_records_a_clip_that_plays(server, browser_with_face, tmp_path):
    live = LivePage(browser_with_face, server.url, viewport={"width": 1280, "height": 720})
    live.start()
    # As on an iPhone: no full screen, so the window is filled.
    live.page.evaluate("document.getElementById('stage-shell').requestFullscreen = undefined")
    assert_presentation(live)

    has_pip = live.page.evaluate(
        "Boolean(globalThis.documentPictureInPicture || HTMLVideoElement.prototype.requestPictureInPicture)"
    )
    assert live.page.is_disabled("#pip") is not has_pip
    live.page.click("#more summary")
    live.page.click("#clip")
    assert not is_visible(live, "#clip")
    live.wait_until("/^Clip 0:0[2-9]/.test(document.getElementById('clip-time').textContent)")

    live.page.keyboard.press("p")
    live.wait_until("document.getElementById('clip-time').textContent.startsWith('Paused')")
    assert live.page.text_content("#paused-sign") == "Paused: nothing is sent"
    assert live.page.text_content("#recorder-state") == "Paused with the picture"
    assert live.page.evaluate("document.getElementById('video').paused")
    answered, kept = live.settled(lambda: (live.figure("answered"), live.page.text_content("#recorder-time")))
    assert live.page.locator(".face-card").count() == 1
    live.page.keyboard.press("p")
    live.wait_until_figure_passes("answered", answered + 5)
    live.wait_until("document.getElementById('recorder-state').textContent === 'Recording'")
    assert kept.startswith("0:")

    with live.page.expect_download() as download:
        live.page.click("#clip-sign button")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]
    assert len(frames) > 10, path.stat().st_size
    assert frames[-1].shape == (480, 640, 3)
    assert not is_visible(live, "#clip-sign")
    assert live.errors == []


def test_overlay_has_no_ground_and_watch_page_presents(watched, videos):
    with chromium_with_camera(left_face_video(videos)) as browser:
        overlay = LivePage(
            browser,
            f"{watched.url}/overlay?show=boxes,labels,bars",
            viewport={"width": 640, "height": 480},
            **with_cookie(watched.guest_cookies[0], watched.url),
        )
        obs = LivePage(browser, f"{watched.url}/overlay?host={watched.host_token}&show=bars")
        assert obs.page.url == f"{watched.url}/overlay?show=bars"
        assert overlay.page.evaluate(GROUND_JS) == ["rgba(0, 0, 0, 0)"] * 2
        assert overlay.page.inner_text("body").strip() == ""
        host = LivePage(browser, watched.url, **with_cookie(watched.owner_cookie, watched.url))
        host.start()
        overlay.wait_for_boxes()
        assert overlay.ink(0, 0, 0.6, 1) > 300
        for page in (overlay, obs):
            page.wait_until("document.querySelectorAll('#large-bars .large-face .bar').length === 7")
        picture = overlay.page.screenshot(omit_background=True)
        alpha = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)[..., 3]
        assert (alpha[:20, :20].max(), alpha.max()) == (0, 255)
        watcher = watch(watched, browser, 1, viewport={"width": 1280, "height": 720})
        watcher.wait_for_faces(1)
        assert_presentation(watcher)
        host.page.click("#start-stop")
        for page in (overlay, obs):
            page.wait_until("document.querySelector('#large-bars').hidden")
        assert overlay.ink(0, 0, 1, 1) == 0
        assert overlay.page.inner_text("body").strip() == ""
        assert overlay.errors == obs.errors == watcher.errors == []

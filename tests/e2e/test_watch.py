"""One browser streams its fake camera, another one watches it through a link."""

import pytest

from tests.support.browser.browsers import chromium_with_camera
from tests.support.browser.fake_camera import left_face_video
from tests.support.browser.live_page import LivePage
from tests.support.watched_server import LINK_NAME, WatchedServer

PICTURE_INK_JS = """() => {
  const canvas = document.getElementById("picture");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let painted = 0;
  for (let i = 3; i < data.length; i += 4) painted += data[i] > 0;
  return painted / (canvas.width * canvas.height);
}"""


@pytest.fixture(scope="module")
def server():
    with WatchedServer() as running:
        yield running


@pytest.fixture
def browser(server, tmp_path_factory):
    server.show_video(False)
    with chromium_with_camera(left_face_video(tmp_path_factory.mktemp("videos"))) as running:
        yield running


def with_cookie(cookie, url):
    """Context options of a browser that has this cookie."""
    name, value = cookie.split("=", 1)
    return {"storage_state": {"cookies": [_cookie(name, value, url)], "origins": []}}


def _cookie(name, value, url):
    host = url.split("//")[1].split(":")[0]
    common = {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
    return {"name": name, "value": value, "domain": host, "path": "/", **common}


@pytest.fixture
def host(server, browser):
    return LivePage(browser, server.url, **with_cookie(server.owner_cookie, server.url))


def watch(server, browser, number=0, **options):
    return LivePage(
        browser, f"{server.url}/watch", **with_cookie(server.guest_cookies[number], server.url), **options
    )


def bar(live):
    return live.page.get_attribute("#watched", "data-watched")


def test_watcher_sees_boxes_without_the_picture_and_the_host_is_told(server, browser, host):
    watcher = watch(server, browser)
    watcher.wait_for_state("waiting")
    assert watcher.page.text_content("#note-title") == "Waiting for the host"
    host.start()
    watcher.wait_for_faces(1)
    watcher.wait_for_state("live")
    assert watcher.page.text_content("#link-name") == LINK_NAME
    watcher.wait_until("document.getElementById('people').textContent === '1'")
    assert watcher.page.text_content("#video-shared") == "not shared"
    assert watcher.page.evaluate(PICTURE_INK_JS) == 0
    # Others are not mirrored: the face is in the left half, as before the camera.
    watcher.wait_until("window.__drawn.length > 5")
    assert watcher.ink(0, 0, 0.6, 1) > 300
    assert watcher.ink(0.7, 0, 1, 1) == 0
    host.wait_until("document.getElementById('watched').dataset.watched === 'numbers'")
    said = "1 person is watching, with boxes and labels only"
    assert host.page.text_content("#watched-text") == said
    assert host.page.get_attribute("#watched-text", "role") == "status"
    watcher.page.close()
    host.wait_until("document.getElementById('watched').dataset.watched === 'nobody'")
    assert watcher.errors == host.errors == []


def test_picture_comes_with_the_hosts_decision_and_the_bar_stays_in_sight(server, browser, host):
    host.start()
    watcher = watch(server, browser)
    watcher.wait_for_faces(1)
    server.show_video(True)
    host.wait_until("document.getElementById('watched').dataset.watched === 'video'")
    watcher.wait_until(f"({PICTURE_INK_JS})() === 1")
    host.page.set_viewport_size({"width": 390, "height": 600})
    host.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    box = host.page.locator("#watched").bounding_box()
    assert (box["y"], box["width"]) == (0, 390)
    assert box["height"] >= 30
    # What lies at the bar's middle is the bar: nothing covers it.
    assert host.page.evaluate("document.elementFromPoint(195, 15).closest('#watched') !== null")
    server.show_video(False)
    watcher.wait_until(f"({PICTURE_INK_JS})() === 0")
    assert watcher.errors == []


def test_bar_is_in_sight_in_full_screen(server, browser, host):
    host.start()
    watch(server, browser)
    host.wait_until("document.getElementById('watched').dataset.watched === 'numbers'")
    host.page.click("#fullscreen")
    host.wait_until("document.fullscreenElement !== null")
    assert host.page.evaluate("document.elementFromPoint(innerWidth / 2, 15).closest('#watched') !== null")


@pytest.mark.parametrize("dialog", ["notice", "share"])
def test_bar_is_in_sight_beside_a_dialog(server, browser, host, dialog):
    host.start()
    watch(server, browser)
    host.wait_until("document.getElementById('watched').dataset.watched === 'numbers'")
    host.page.set_viewport_size({"width": 390, "height": 400})
    host.page.evaluate("(id) => document.getElementById(id).showModal()", dialog)
    lies_below = """(id) => document.getElementById(id).getBoundingClientRect().top
      >= document.getElementById("watched").getBoundingClientRect().bottom"""
    assert host.page.evaluate(lies_below, dialog)
    dimmed_from = "(id) => getComputedStyle(document.getElementById(id), '::backdrop').top"
    assert host.page.evaluate(dimmed_from, dialog) == "38px"


def test_watcher_waits_when_the_host_stops_and_sees_it_start_again(server, browser, host):
    host.start()
    watcher = watch(server, browser)
    watcher.wait_for_faces(1)
    host.page.click("#start-stop")
    watcher.wait_for_state("waiting")
    watcher.wait_for_faces(0)
    host.start()
    watcher.wait_for_faces(1)
    watcher.wait_for_state("live")


def test_watch_page_without_a_link_says_to_ask(server, browser):
    outsider = LivePage(browser, f"{server.url}/watch")
    assert "Ask the host" in outsider.page.text_content("body")
    assert outsider.page.locator("#picture").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_watch_page_fits_its_window(server, browser, host, width):
    host.start()
    watcher = watch(server, browser, viewport={"width": width, "height": 800})
    watcher.wait_for_faces(1)
    assert watcher.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_link_that_is_revoked_ends_the_page_for_good_and_says_why(videos):
    with WatchedServer() as server, chromium_with_camera(left_face_video(videos)) as browser:
        watcher = watch(server, browser)
        watcher.wait_for_state("waiting")
        host = LivePage(browser, f"{server.url}/?host={server.host_token}")
        revoked = """async (id) => (await fetch(`/api/v1/share/links/${id}`, {
          method: "DELETE", headers: { "Content-Type": "application/json" } })).status"""
        assert host.page.evaluate(revoked, server.link_id) == 200
        watcher.wait_for_state("over")
        assert watcher.page.text_content("#note-title") == "The host withdrew this link"
        assert watcher.page.text_content("#connection-text") == "Ended"
        requests = []
        watcher.page.on("request", lambda request: requests.append(request.url))
        watcher.page.wait_for_timeout(3000)
        assert requests == [], "it tries again, which cannot help"


def test_page_goes_on_after_the_server_was_away(tmp_path, videos):
    with chromium_with_camera(left_face_video(videos)) as browser:
        with WatchedServer(data_dir=tmp_path) as server:
            port = server.port
            watcher = watch(server, browser)
            watcher.wait_for_state("waiting")
        watcher.wait_until("document.getElementById('connection').dataset.state === 'reconnecting'")
        watcher.wait_for_state("connecting")
        # A server that starts anew has no links of before: the page hears that, and stops trying.
        with WatchedServer(data_dir=tmp_path, port=port):
            watcher.wait_for_state("over")
        assert watcher.page.text_content("#note-title") == "The host stopped sharing"

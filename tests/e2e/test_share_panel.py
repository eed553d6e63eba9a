"""The Share panel in a real browser, for the host, and what its links open, for a visitor."""

import json

import pytest

from tests.support.browser.browsers import CAMERA_FLAGS, chromium
from tests.support.browser.fake_camera import moving_face_video
from tests.support.browser.history_page import HistoryPage
from tests.support.browser.live_page import LivePage
from tests.support.browser.share_panel import (
    HERE,
    RESOLVE_FLAG,
    SharePanel,
    SharingServer,
    Visit,
    proxied_page,
)
from tests.support.servers import ServerProcess

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    video = moving_face_video(tmp_path_factory.mktemp("videos"))
    with chromium(*CAMERA_FLAGS, f"--use-file-for-fake-video-capture={video}", RESOLVE_FLAG) as running:
        yield running


@pytest.fixture(scope="module")
def sharing_server():
    with SharingServer() as running:
        yield running


@pytest.fixture
def host(browser, sharing_server):
    panel = SharePanel(browser, sharing_server, permissions=["clipboard-read", "clipboard-write"], **DESKTOP)
    panel.stop_all()
    yield panel
    assert panel.errors == []
    panel.context.close()


def test_new_link_has_a_code_that_a_phone_reads_and_an_address_to_copy(host):
    host.open()
    assert host.page.is_visible("#share-form")
    address = host.make_link(name="Seminar")
    assert address.startswith("https://fer.test/l/")
    assert host.scanned() == address
    host.page.click("#shown-copy")
    host.wait_until(lambda: host.page.text_content("#shown-copy-label") == "Copied", "the copy")
    assert host.page.evaluate("navigator.clipboard.readText()") == address
    assert "Ends" in host.page.text_content("#shown-end")
    assert host.links() == ["Seminar"]


def test_code_of_each_link_is_shown_when_asked_for(host):
    host.open()
    first, second = host.make_link(name="First"), host.make_link(name="Second")
    assert first != second
    host.page.click('[aria-label="Show the QR code of First"]')
    host.wait_until(lambda: host.address() == first, "the first link")
    assert host.scanned() == first


def test_watch_link_gets_and_loses_the_picture(host):
    host.open()
    host.make_link("watch", "Back row", has_video=True)
    switch = host.page.locator("#share-links [data-part=video]")
    host.wait_until(lambda: switch.get_attribute("aria-checked") == "true", "the picture")
    assert "with the picture" in host.page.text_content("#share-links [data-part=facts]")
    switch.click()
    host.wait_until(lambda: switch.get_attribute("aria-checked") == "false", "no picture")
    assert [link["video"] for link in host.told()["links"] if link["name"] == "Back row"] == [False]


def test_revoked_link_is_asked_about_and_then_stands_with_the_ended_ones(host):
    host.open()
    host.make_link(name="Goes")
    host.make_link(name="Stays")
    host.page.click('[aria-label="Revoke Goes"]')
    host.page.click("#share-confirm-no")
    assert host.links() == ["Stays", "Goes"]
    host.page.click('[aria-label="Revoke Goes"]')
    host.confirm()
    host.wait_until(lambda: host.links() == ["Stays"], "the revoked link to go")
    host.page.click("#share-ended summary")
    assert "Goes" in host.page.locator("#share-ended-links").inner_text()
    assert host.shown_name() == "Stays"


def test_stop_ends_every_link_and_sharing_can_begin_again(host):
    host.open()
    first = host.make_link(name="One")
    host.make_link("watch", "Two")
    host.page.click("#share-stop")
    assert "2 links will end" in host.page.text_content("#share-confirm-text")
    host.confirm()
    host.wait_until(lambda: host.links() == [], "all links to end")
    assert host.page.is_disabled("#share-stop")
    assert not host.page.is_visible("#share-shown")
    assert host.make_link(name="Three") != first


def test_link_that_could_not_be_made_leaves_the_form_as_it_was(host):
    host.open()
    host.make_link(name="First")
    host.page.route("**/api/v1/share/links", lambda route: route.abort())
    host.page.click("#share-new summary")
    host.page.fill("#share-name", "A name that I thought about")
    host.page.select_option("#share-hours", "72")
    host.page.click("#share-create")
    trouble = host.page.wait_for_selector("#share-trouble", state="visible")
    assert "The link was not made. The server does not answer." in trouble.inner_text()
    assert host.page.input_value("#share-name") == "A name that I thought about"
    assert host.page.input_value("#share-hours") == "72"
    host.page.unroute("**/api/v1/share/links")
    host.page.click("#share-create")
    host.wait_until(lambda: host.shown_name() == "A name that I thought about", "the link")
    assert not host.page.is_visible("#share-trouble")
    # The browser's own word on the aborted request.
    host.errors.clear()


def test_visitor_is_listed_with_camera_and_is_told_when_the_link_is_revoked(host, browser, sharing_server):
    host.open()
    visit = Visit(browser, sharing_server, host.make_link(name="Visitors"))
    assert not visit.page.locator("#share-open, #share").count()
    assert "/l/" not in visit.page.url
    host.wait_until(lambda: len(host.visitors()) == 1, "the visitor")
    visit.page.click("#start-stop")
    visit.page.wait_for_selector(".face-card[data-face-id]")
    host.wait_until(
        lambda: host.page.is_visible("#share-visitors [data-part=camera]"), "the visitor's camera"
    )
    host.page.click('[aria-label="Revoke Visitors"]')
    assert "1 visitor will be disconnected" in host.page.text_content("#share-confirm-text")
    host.confirm()
    visit.page.wait_for_selector('#problem[data-kind="link_revoked"]', state="visible")
    assert visit.page.text_content("#problem-title") == "The host withdrew this link"
    assert visit.page.evaluate("document.getElementById('video').srcObject") is None
    assert visit.page.is_disabled("#start-stop")
    assert not visit.page.is_visible("#recorder"), "what it leads to is refused now"
    assert not visit.page.is_visible("#retry")
    assert visit.page.get_attribute("#connection", "data-state") == "over"


def test_removed_visitor_is_told_and_the_link_works_for_others(host, browser, sharing_server):
    host.open()
    address = host.make_link(name="Visitors")
    visit = Visit(browser, sharing_server, address)
    host.wait_until(lambda: len(host.visitors()) == 1, "the visitor")
    host.page.click("#share-visitors [data-part=remove]")
    assert "still works for others" in host.page.text_content("#share-confirm-text")
    host.confirm()
    visit.page.wait_for_selector('#problem[data-kind="visitor_removed"]', state="visible")
    host.wait_until(lambda: host.visitors() == [], "the visitor to go")
    other = Visit(browser, sharing_server, address)
    other.page.wait_for_selector('#connection[data-state="connected"]')


def test_session_is_shared_once_and_a_visitor_can_only_read_it(browser, sharing_server, tmp_path):
    host = SharePanel(browser, sharing_server, "/history", **DESKTOP)
    host.stop_all()
    history = HistoryPage(host.page, sharing_server.url)
    session = history.import_session(
        tmp_path, name="Film evening", tags=["film"], markers=[(12, "It begins")], length_s=40
    )
    history.open_session(session)
    host.page.click("#share-session")
    host.wait_until(lambda: host.address() and host.shown_name() == "Film evening", "the session's link")
    address = host.address()
    assert host.scanned() == address
    host.page.click("#share-close")
    host.page.click("#share-session")
    host.wait_until(lambda: host.address() == address, "the same link")
    assert host.links() == ["Film evening"]
    visit = Visit(browser, sharing_server, address)
    visit.page.wait_for_selector('#session[data-state="ready"] #plot canvas')
    assert_read_only(visit.page)
    export = visit.page.get_attribute('[data-format="csv"]', "href")
    kind = "path => fetch(path).then((answer) => answer.headers.get('content-type'))"
    assert visit.page.evaluate(kind, export).startswith("text/csv")
    assert host.errors == []
    host.context.close()


def assert_read_only(page):
    assert page.text_content("#read-name") == "Film evening"
    assert "Shared with you by the host, read-only" in page.inner_text("main")
    assert "It begins" in page.inner_text("#markers")
    assert "film" in page.inner_text("#read-tags")
    writing = "#delete, #add-marker, #notes, #name, #tag, #share, #share-session, .marker input"
    assert page.locator(writing).count() == 0
    assert page.locator('a[href="/"], a[href="/history"]').count() == 0


def test_only_the_host_sees_what_is_shared(browser, sharing_server):
    page = proxied_page(browser, HERE)
    page.goto(sharing_server.url)
    page.click("#share-open")
    page.wait_for_selector('#share[data-state="denied"]')
    said = page.inner_text("#share")
    assert all(words in said for words in ("?host=", "make share", "python app.py --share"))
    assert not page.is_visible("#share-form")


def test_server_that_is_not_shared_says_how_to_share_it(browser):
    with ServerProcess("--proxies", "1") as server:
        check_not_shared(SharePanel(browser, server, **DESKTOP))


def check_not_shared(host):
    host.open()
    assert host.state() == "off"
    assert host.page.text_content("#share-command") == "make share"
    assert "python app.py --share" in host.page.text_content("#share-reason")
    host.context.close()


def test_panel_is_used_by_keyboard_and_gives_the_focus_back(host):
    page = host.page
    page.focus("#share-open")
    page.keyboard.press("Enter")
    page.wait_for_selector('#share[data-state="on"]')
    assert page.evaluate("document.activeElement.id") == "share-title"
    host.make_link(name="By key")
    for _ in range(40):
        page.keyboard.press("Tab")
        # Past the last one the browser's own bar has the turn, which is the body for the page.
        assert page.evaluate("document.activeElement.matches('body, #share, #share *')")
    page.focus('#share-links [data-part="copy"]')
    page.wait_for_timeout(2500)
    assert page.evaluate("document.activeElement.dataset.part") == "copy", "a look took the focus"
    page.keyboard.press("Escape")
    assert not page.is_visible("#share")
    assert page.evaluate("document.activeElement.id") == "share-open"


def test_everything_in_the_panel_has_a_name(host):
    host.open()
    host.make_link("watch", "Named")
    host.page.click("#share-new summary")
    nameless = host.page.locator("#share :is(button, input, select, img, summary)").evaluate_all(
        """all => all.filter((one) => one.checkVisibility()).filter((one) =>
          !(one.getAttribute("aria-label") || one.alt || one.textContent.trim()
            || one.labels?.[0]?.textContent.trim())).map((one) => one.outerHTML)"""
    )
    assert nameless == []
    ids = host.page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_shows_the_panel_without_sideways_scroll(browser, sharing_server, scheme):
    host = SharePanel(browser, sharing_server, color_scheme=scheme, **PHONE)
    host.open()
    address = host.make_link("watch", "A rather long name for a link that is made on a phone", has_video=True)
    host.page.click("#share-new summary")
    assert host.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert host.page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.getElementById('share'))"
    )
    assert host.scanned() == address
    assert host.errors == []
    host.context.close()


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("link_expired", "This link's time is over"),
        ("sharing_stopped", "The host stopped sharing"),
        ("link_needed", "You need a link from the host"),
    ],
)
def test_last_goodbye_ends_the_camera_and_is_not_followed_by_a_new_connection(server, browser, code, title):
    live = LivePage(browser, server.url)
    sockets = []
    live.page.route_web_socket("**/socket.io/**", lambda socket: sockets.append(join(socket)))
    live.reload()
    live.start()
    goodbye = {"code": code, "message": "The server's words.", "retryable": False}
    sockets[-1].send("42" + json.dumps(["closing", goodbye]))
    live.page.wait_for_selector(f'#problem[data-kind="{code}"]', state="visible")
    assert live.page.text_content("#problem-title") == title
    assert live.page.evaluate("document.getElementById('video').srcObject") is None
    count = len(sockets)
    live.page.keyboard.press("Space")
    live.page.wait_for_timeout(1500)
    assert len(sockets) == count
    assert live.page.get_attribute("#connection", "data-state") == "over"
    assert live.errors == []


def join(socket):
    """Let a WebSocket of the page through to the server, to speak up in between."""
    socket.connect_to_server()
    return socket

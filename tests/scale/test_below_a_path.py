"""Real servers below /fer/ behind a real nginx: a browser uses every page there."""

import re
from urllib.parse import urlsplit

import pytest
import requests
import socketio

from fer_web.vision.frames import encode_jpeg
from tests.support.browser.analyze_page import AnalyzePage
from tests.support.browser.browsers import chromium_with_camera, new_context
from tests.support.browser.fake_camera import left_face_video
from tests.support.browser.live_page import LivePage
from tests.support.callers import PUBLIC_URL, WAIT_S
from tests.support.faces import astronaut_bgr
from tests.support.nginx import NginxServer
from tests.support.servers import ServerProcess
from tests.support.several_processes import TOKEN

OPTIONS = ("--base-path", "/fer", "--proxies", "1", "--public-url", PUBLIC_URL, "--workers", "1")


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def nginx(request):
    environment = {"FER_HOST_TOKEN": TOKEN, "FER_ASYNC_MODE": request.param}
    with (
        ServerProcess(*OPTIONS, environment=environment) as server,
        NginxServer((server.port, server.port), "/fer") as running,
    ):
        assert f"/fer/?host={TOKEN}" in "".join(server.output)
        yield running


@pytest.fixture(scope="module")
def browser(nginx, tmp_path_factory):
    # Of the proxy's own name, because the links are of a public one.
    with chromium_with_camera(left_face_video(tmp_path_factory.mktemp("videos"))) as running:
        yield running


class Addresses:
    """The addresses that a tab asks for, of which none may lie elsewhere."""

    def __init__(self, page):
        self.asked = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda opened: self.asked.append(opened.url))

    def elsewhere(self):
        paths = [urlsplit(url).path for url in self.asked if not url.startswith(("blob:", "data:"))]
        assert paths
        return [path for path in paths if not path.startswith("/fer/")]


def test_a_program_streams_and_a_cookie_is_for_the_path_alone(nginx):
    with requests.Session() as session:
        session.get(f"{nginx.url}/fer/?host={TOKEN}", timeout=WAIT_S)
        assert {cookie.path for cookie in session.cookies} == {"/fer"}
        assert requests.get(f"{nginx.url}/history", timeout=WAIT_S).status_code in (403, 404)
    with socketio.SimpleClient() as client:
        client.connect(nginx.url, socketio_path="fer/socket.io", transports=["websocket"])
        header = {"seq": 1, "captured_ms": 1.0}
        result = client.call("frame", (header, encode_jpeg(astronaut_bgr())), timeout=WAIT_S)
        assert result["seq"] == 1


def test_every_page_works_below_the_path(nginx, browser, tmp_path):
    live = LivePage(browser, f"{nginx.url}/fer/?host={TOKEN}")
    asked = Addresses(live.page)
    live.start()
    assert live.page.url == f"{nginx.url}/fer/"
    address = shared_link(live.page)
    assert address.startswith(f"{PUBLIC_URL}/fer/l/")
    watch(nginx, browser, address)
    live.wait_until("document.querySelector('#recorder-link')")
    live.page.wait_for_timeout(1500)
    live.page.click("#start-stop")
    session = live.page.wait_for_selector('a[href^="/fer/history/"]:visible', timeout=WAIT_S * 1000)
    live.page.goto(f"{nginx.url}{session.get_attribute('href')}")
    live.page.wait_for_selector('#session[data-state="ready"] #plot canvas', timeout=WAIT_S * 1000)
    live.page.click('header a[href="/fer/history"]')
    live.page.wait_for_selector('.session a[href^="/fer/history/"]', timeout=WAIT_S * 1000)
    live.page.click('header a[href="/fer/analyze"]')
    live.page.wait_for_selector('#analyze[data-state="empty"]', timeout=WAIT_S * 1000)
    assert asked.elsewhere() == []
    assert live.errors == []


def shared_link(page):
    """Make a link to watch in the panel; returns its address."""
    page.click("#share-open")
    page.wait_for_selector('#share[open]:not([data-state="loading"])')
    if not page.is_visible("#share-form"):
        page.click("#share-new summary")
    page.check('[name="share-kind"][value="watch"]')
    page.fill("#share-name", "Everybody")
    page.click("#share-create")
    page.wait_for_selector("#share-shown")
    code = page.wait_for_selector('#shown-qr[src^="/fer/api/v1/share/links/"]', timeout=WAIT_S * 1000)
    assert code.evaluate("image => image.decode().then(() => image.naturalWidth > 0)")
    address = page.text_content("#shown-address")
    page.keyboard.press("Escape")
    page.wait_for_selector("#share", state="hidden")
    return address


def watch(nginx, browser, address):
    context = new_context(browser)
    page = context.new_page()
    asked = Addresses(page)
    page.goto(f"{nginx.url}{urlsplit(address).path}")
    assert page.url == f"{nginx.url}/fer/watch"
    page.wait_for_selector('#stage[data-state="live"]', state="attached", timeout=WAIT_S * 1000)
    page.goto(f"{nginx.url}/fer/overlay")
    page.wait_for_selector("#overlay")
    assert asked.elsewhere() == []
    context.close()


def test_pictures_are_analysed_below_the_path(nginx, browser, tmp_path):
    picture = tmp_path / "astronaut.jpg"
    picture.write_bytes(encode_jpeg(astronaut_bgr()))
    analyze = AnalyzePage(browser, f"{nginx.url}/fer")
    asked = Addresses(analyze.page)
    analyze.choose(picture)
    analyze.wait_for_done(1)
    analyze.page.reload()
    assert asked.elsewhere() == []
    assert analyze.errors == []


def test_the_other_pages_have_what_they_name(nginx):
    for page in ("api", "trust", "history", "compare?ids=a,b", "nothing"):
        answer = requests.get(f"{nginx.url}/fer/{page}", headers={"Accept": "text/html"}, timeout=WAIT_S)
        for path in set(re.findall(r'(?:src|href)="(/[^"]*\.(?:css|js|svg|json))"', answer.text)):
            assert requests.get(f"{nginx.url}{path}", timeout=WAIT_S).status_code == 200, path

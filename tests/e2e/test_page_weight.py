"""What a page costs on a slow path: requests, bytes and time until it can be used."""

import time
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.browser.browsers import chromium, new_context

LATENCY_MS = 300
MAX_REQUESTS = 12
MAX_BYTES = 120_000
USABLE_S = 2.0
PATHS = ("/", "/history", "/analyze", "/api")


class Traffic:
    """What one tab asks the server for, as Chromium's own network log tells it."""

    def __init__(self, page):
        self._log = page.context.new_cdp_session(page)
        self._log.send("Network.enable")
        self._log.on("Network.requestWillBeSent", self._on_request)
        self._log.on("Network.webSocketCreated", lambda event: self.asked.append(event["url"]))
        self._log.on("Network.requestServedFromCache", lambda event: self._kept.add(event["requestId"]))
        self._log.on("Network.responseReceived", self._on_response)
        self._log.on("Network.loadingFinished", self._on_finished)
        self.clear()

    def slow_down(self):
        """Let every answer come LATENCY_MS later."""
        unlimited = {"downloadThroughput": -1, "uploadThroughput": -1}
        conditions = {"offline": False, "latency": LATENCY_MS, **unlimited}
        self._log.send("Network.emulateNetworkConditions", conditions)

    def clear(self):
        self.asked, self.bytes, self._urls, self._kept = [], 0, {}, set()

    @property
    def over_the_network(self):
        """Paths of what no cache had, in the order in which it was asked for."""
        kept = {self._urls.get(each) for each in self._kept}
        return [urlsplit(url).path for url in self.asked if url not in kept]

    def _on_request(self, event):
        if not event["request"]["url"].startswith(("data:", "blob:")):
            self.asked.append(event["request"]["url"])
            self._urls[event["requestId"]] = event["request"]["url"]

    def _on_response(self, event):
        if event["response"].get("fromDiskCache"):
            self._kept.add(event["requestId"])

    def _on_finished(self, event):
        self.bytes += event["encodedDataLength"]


@pytest.fixture(scope="module")
def plain_browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def tab(plain_browser):
    page = new_context(plain_browser).new_page()
    yield page, Traffic(page)
    page.context.close()


def settle(page):
    """Wait until the page has run and what it asks for at its start has come."""
    expect(page.locator("#not-loaded")).to_have_count(0)
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_few_requests_and_few_bytes(server, tab, path):
    page, traffic = tab
    page.goto(server.url + path)
    settle(page)
    print(f"{path}: {len(traffic.asked)} requests, {traffic.bytes} bytes: {traffic.over_the_network}")
    assert len(traffic.asked) <= MAX_REQUESTS, traffic.asked
    assert 0 < traffic.bytes <= MAX_BYTES


@pytest.mark.parametrize("path", PATHS)
def test_loading_again_asks_for_no_file_but_the_page(server, tab, path):
    page, traffic = tab
    page.goto(server.url + path)
    settle(page)
    traffic.clear()
    page.reload()
    settle(page)
    assert traffic.over_the_network[0] == path
    assert not [each for each in traffic.over_the_network if each.startswith(("/static/", "/vendor/"))]


@pytest.mark.alone
def test_on_a_slow_path_the_live_page_can_be_used_within_two_seconds(server, tab):
    page, traffic = tab
    traffic.slow_down()
    began_s = time.monotonic()
    page.goto(server.url, wait_until="commit")
    expect(page.locator("#not-loaded")).to_have_count(0)
    expect(page.locator("#start-stop")).to_be_enabled()
    took_s = time.monotonic() - began_s
    expect(page.locator("#connection")).to_have_attribute("data-state", "connected")
    print(f"usable after {took_s:.2f} s, connected after {time.monotonic() - began_s:.2f} s")
    assert 2 * LATENCY_MS / 1000 < took_s <= USABLE_S, "two answers, one after the other, are the least"

"""What the host does in the Share panel, and how a visitor comes, in the tests' words."""

import re
import time

import cv2
import numpy as np

from tests.support.browser.browsers import new_context
from tests.support.servers import ServerProcess

RESOLVE_FLAG = "--host-resolver-rules=MAP fer.test 127.0.0.1"


class SharingServer(ServerProcess):
    """A server that is shared as https://fer.test, which needs no network.

    It believes a proxy, so that a test on this machine can come from elsewhere.
    """

    def __init__(self):
        super().__init__("--share", "--share-port", "0", "--public-url", "https://fer.test", "--proxies", "1")

    def address_of(self, link):
        """A link as the proxy would ask for it."""
        return link.replace("https://fer.test", f"https://fer.test:{self.share_port}")


HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"

PROXIED_JS = """
localStorage.setItem("fer-web.notice", "2");
// Playwright adds its headers to requests, not to the opening of a WebSocket: the page must poll.
globalThis.WebSocket = class {
  constructor() {
    queueMicrotask(() => this.onerror?.(new Event("error")));
  }
  close() {}
};
"""


def proxied_page(browser, address, **context_options):
    """A tab whose requests come from an address, as a proxy tells it."""
    context = new_context(browser, extra_http_headers={"X-Forwarded-For": address}, **context_options)
    page = context.new_page()
    page.add_init_script(PROXIED_JS)
    return page


class SharePanel:
    """The host's browser, on any page, with the panel."""

    def __init__(self, browser, server, path="/", **context_options):
        self.server = server
        self.page = proxied_page(browser, HERE, **context_options)
        self.context = self.page.context
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.goto(f"{server.url}{path}?host={host_token(server)}")

    def open(self):
        if self.page.is_visible("#menu-open"):
            self.page.click("#menu-open")
        self.page.click("#share-open")
        self.page.wait_for_selector('#share[open]:not([data-state="loading"])')

    def state(self):
        return self.page.get_attribute("#share", "data-state")

    def make_link(self, kind="join", name="", *, has_video=False):
        """Fill in the form; returns the address that is then shown."""
        if not self.page.is_visible("#share-form"):
            self.page.click("#share-new summary")
        self.page.check(f'[name="share-kind"][value="{kind}"]')
        self.page.fill("#share-name", name)
        if has_video:
            self.page.check("#share-video")
        self.page.click("#share-create")
        self.page.wait_for_selector("#share-form", state="hidden")
        self.wait_until(lambda: self.address() and (not name or self.shown_name() == name), "the new link")
        return self.address()

    def address(self):
        return self.page.text_content("#shown-address") if self.page.is_visible("#share-shown") else ""

    def shown_name(self):
        return self.page.text_content("#shown-name")

    def scanned(self):
        """What a phone's camera would read from the screen."""
        self.wait_until(
            lambda: self.page.evaluate("document.getElementById('shown-qr').naturalWidth > 0"), "the QR code"
        )
        self.page.locator("#shown-qr").scroll_into_view_if_needed()
        pixels = np.frombuffer(self.page.locator("#share-shown").screenshot(), np.uint8)
        shown = cv2.imdecode(pixels, cv2.IMREAD_COLOR)
        # OpenCV's reader misses some codes at some sizes; a phone is held nearer then.
        reads = (
            cv2.QRCodeDetector().detectAndDecode(cv2.resize(shown, None, fx=k, fy=k)) for k in (1, 2, 1.5, 3)
        )
        return next((text for text, _, _ in reads if text), "")

    def links(self):
        """Names of the open links."""
        return self.page.locator("#share-links [data-part=name]").all_text_contents()

    def visitors(self):
        return self.page.locator("#share-visitors [data-part=name]").all_text_contents()

    def confirm(self):
        self.page.click("#share-confirm-yes")

    def told(self):
        """The share as the server tells it."""
        answer = self.context.request.get(f"{self.server.url}/api/v1/share")
        assert answer.status == 200
        return answer.json()

    def stop_all(self):
        """End all links, the one that the server made at its start among them, as another page would."""
        headers = {"Origin": self.server.url}
        answer = self.context.request.post(f"{self.server.url}/api/v1/share/stop", data={}, headers=headers)
        assert answer.status == 200, answer.text()

    def wait_until(self, holds, what, timeout_s=60):
        end_s = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > end_s:
                raise TimeoutError(f"Waited {timeout_s} s for {what}")
            self.page.wait_for_timeout(50)


class Visit:
    """A browser elsewhere in the network, which opens a link."""

    def __init__(self, browser, server, address, **context_options):
        # Whether certificates are trusted is what other tests look at.
        self.page = proxied_page(browser, ELSEWHERE, ignore_https_errors=True, **context_options)
        self.page.goto(server.address_of(address))


def host_token(server):
    """The token that the server printed at its start."""
    return next(match[1] for line in server.output if (match := re.search(r"\?host=(\S+)", line)))

"""Pages that record and watch through a proxy, and connect again when they must, as the real ones do."""

import threading
import time

import requests
import socketio

from fer_web.realtime.watching import NAMESPACE
from fer_web.vision.frames import encode_jpeg
from tests.support.callers import WAIT_S
from tests.support.faces import camera_frame_bgr

PAUSE_S = 0.2
"""Before the next attempt, where the last one failed."""


class Page:
    """A page's connection, in a thread of its own; a context manager.

    Attributes:
        reasons: codes of the goodbyes that it heard.
        errors: what went wrong with its connections.
        last_s: when it last had what it is there for.
        first_s: the same of the first time over this connection.
    """

    def __init__(self, url, cookie=None):
        self.url = url
        self.reasons = []
        self.errors = []
        self.last_s = self.first_s = 0.0
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._cookie = cookie or cookie_of(new_browser(url))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self.end()

    def end(self):
        self._must_end.set()
        if self._thread.is_alive():
            self._thread.join(WAIT_S)

    def _run(self):
        while not self._must_end.is_set():
            told = len(self.reasons)
            try:
                self._stay()
            except Exception as exc:  # the connection is lost: whatever it is called
                self.errors.append(repr(exc))
            if len(self.reasons) == told:
                time.sleep(PAUSE_S)

    def _connected(self, namespace):
        client = socketio.Client(reconnection=False, request_timeout=5)
        client.on("closing", lambda reason: self.reasons.append(reason["code"]), namespace=namespace)
        self._listen(client)
        client.connect(
            self.url,
            headers={"Cookie": self._cookie},
            transports=["websocket"],
            namespaces=[namespace],
            wait_timeout=10,
        )
        self._is_new = True
        return client

    def _had(self):
        self.last_s = time.monotonic()
        if self._is_new:
            self.first_s, self._is_new = self.last_s, False


class Camera(Page):
    """A page that records. Attributes: sessions: all that it recorded; saved: samples of the last."""

    def __init__(self, url, cookie=None, fps=10):
        super().__init__(url, cookie)
        self.saved = self.answers = 0
        self.session = None
        self.sessions = set()
        self.problems = []
        self._fps = fps

    def _listen(self, client):
        client.on("saved", self._on_saved)
        client.on("recording_problem", lambda problem: self.problems.append(problem["code"]))

    def _stay(self):
        client = self._connected("/")
        try:
            self._record(client)
            jpeg, seq = encode_jpeg(camera_frame_bgr(), 80), 0
            while not self._must_end.wait(1 / self._fps):
                seq += 1
                header = {"seq": seq, "captured_ms": time.monotonic() * 1000}
                self._frame(client, (header, jpeg))
                self.answers += 1
                self._had()
            client.call("stop", {}, timeout=10)
        finally:
            leave(client)

    def _record(self, client):
        answer = client.call("record", {"on": True, "session": self.session}, timeout=10)
        if "session" not in answer:
            raise ConnectionError(answer["error"]["code"])
        self.session = answer["session"]
        self.sessions.add(self.session)

    def _frame(self, client, arguments):
        """Wait for the answer, as long as the connection lives: `call` would wait on."""
        is_answered = threading.Event()
        client.emit("frame", arguments, callback=lambda *_answer: is_answered.set())
        while not is_answered.wait(0.05):
            if not client.connected:
                raise ConnectionError("The connection is lost.")

    def _on_saved(self, news):
        if news["session"] == self.session:
            self.saved = max(self.saved, news["samples"])


class Watcher(Page):
    """A page that watches by a link, with its cookie. Attributes: views: how many came."""

    def __init__(self, url, cookie):
        super().__init__(url, cookie)
        self.views = 0

    def _listen(self, client):
        client.on("view", self._on_view, namespace=NAMESPACE)

    def _stay(self):
        client = self._connected(NAMESPACE)
        try:
            while client.connected and not self._must_end.wait(0.05):
                pass
        finally:
            leave(client)

    def _on_view(self, *_data):
        self.views += 1
        self._had()


def leave(client):
    """End a connection that is there: of one that ends already, the library waits for itself for 25 s."""
    if client.connected:
        client.disconnect()


def new_browser(url, path=""):
    """A browser that opened this address."""
    browser = requests.Session()
    browser.headers["Origin"] = url
    browser.get(f"{url}{path}", timeout=WAIT_S)
    return browser


def cookie_of(browser):
    return "; ".join(f"{each.name}={each.value}" for each in browser.cookies)


def watch_link(browser):
    """Path of a new link by which others watch this browser's camera; it is the host's."""
    answer = browser.post(
        f"{browser.headers['Origin']}/api/v1/share/links",
        json={"kind": "watch", "name": "For the class", "video": True},
        timeout=WAIT_S,
    )
    assert answer.status_code == 201, answer.text
    return "/l/" + answer.json()["urls"][0].rsplit("/l/", 1)[1]


def until(is_so, cameras):
    """Wait for what cameras bring about."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, [
            (type(page).__name__, page.reasons, page.errors[-3:]) for page in cameras
        ]
        time.sleep(0.02)

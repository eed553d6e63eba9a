"""Browsers as a reverse proxy shows them to a real server: pages and API over HTTP, and connections."""

import queue
import re
import threading
import time

import requests
import socketio

from fer_web.vision.frames import encode_jpeg
from tests.support.faces import camera_frame_bgr

PUBLIC_URL = "https://fer.example.org"
PHONE = "192.168.1.7"
HOST = "127.0.0.1"
WAIT_S = 60


def host_of(server):
    """The person at this machine, who took the printed address."""
    printed = next(re.search(r"\?host=(\S+)", line) for line in server.output if "?host=" in line)
    caller = Caller(server, HOST)
    caller.session.get(f"{server.url}/?host={printed.group(1)}", timeout=WAIT_S)
    return caller


class Caller:
    """A browser at an address, that the server is told by a proxy."""

    def __init__(self, server, address):
        self.url = server.url
        self.session = requests.Session()
        self._address = address
        self.session.headers.update({"X-Forwarded-For": address, "Origin": server.url})

    def ask(self, method, path, body=None):
        return self.session.request(method, self.url + path, json=body, timeout=WAIT_S)

    def at(self, server):
        """The same browser, whom the proxy leads to another process."""
        other = Caller(server, self._address)
        other.session.cookies = self.session.cookies
        return other

    def visitor(self, kind="join", **values):
        """A phone that opened a new link of this host; returns it and the link."""
        answer = self.ask("POST", "/api/v1/share/links", {"kind": kind, "name": "Anna", **values})
        assert answer.status_code == 201, answer.text
        phone = Caller(self, PHONE)
        phone.open(answer.json())
        return phone, answer.json()

    def open(self, link):
        path = link["urls"][0].removeprefix(PUBLIC_URL)
        return self.session.get(self.url + path, allow_redirects=False, timeout=WAIT_S)

    def headers(self):
        """What the handshake of a WebSocket carries; the client adds the origin."""
        cookies = "; ".join(f"{each.name}={each.value}" for each in self.session.cookies)
        return {"X-Forwarded-For": self._address, **({"Cookie": cookies} if cookies else {})}

    def visitors(self):
        return self.ask("GET", "/api/v1/share").json()["visitors"]

    def socket(self, **options):
        return Socket(self, **options)


class Socket:
    """A Socket.IO connection with a browser's cookies; knows when and why it ended."""

    def __init__(self, caller, namespace="/", transport="websocket"):
        self.reason = None
        self._ended = threading.Event()
        self._ended_s = None
        # For polling, the client sends given headers with its first request alone.
        session = caller.session if transport == "polling" else None
        self.client = socketio.Client(reconnection=False, http_session=session, request_timeout=WAIT_S)
        self.client.eio._trigger_event = _in_order(self.client.eio._trigger_event)
        self.heard = queue.Queue()
        for event in ("view", "state", "watched", "saved", "recording_problem"):
            self.client.on(
                event, lambda *data, event=event: self.heard.put((event, *data)), namespace=namespace
            )
        self.client.on("closing", self._on_closing, namespace=namespace)
        self.client.on("disconnect", self._on_disconnect, namespace=namespace)
        self.client.connect(
            caller.url,
            headers={} if session else caller.headers(),
            namespaces=[namespace],
            transports=[transport],
            wait_timeout=WAIT_S,
        )

    def send_frame(self):
        header = {"seq": 1, "captured_ms": time.monotonic() * 1000}
        return self.client.call("frame", (header, encode_jpeg(camera_frame_bgr(), 80)), timeout=WAIT_S)

    def next(self, event, is_it=lambda *data: True):
        """The data of the next event of a name for which `is_it` holds."""
        while True:
            name, *data = self.heard.get(timeout=WAIT_S)
            if name == event and is_it(*data):
                return data

    def ended_after_s(self, start_s):
        """Seconds from a moment to the end."""
        assert self._ended.wait(WAIT_S), "the connection did not end"
        return self._ended_s - start_s

    def _on_closing(self, error):
        self.reason = error["code"]

    def _on_disconnect(self, *_reason):
        self._ended_s = time.monotonic()
        self._ended.set()


def _in_order(trigger):
    """python-socketio's client takes each packet in a thread of its own: on a busy machine a picture may come
    before the header that announces it."""

    def in_order(event, *arguments, run_async=False, **options):
        return trigger(event, *arguments, run_async=run_async and event != "message", **options)

    return in_order

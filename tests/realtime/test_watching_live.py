"""Watching a real server's stream, in both serving modes."""

import contextlib
import json
import socket
import threading
import time

import pytest
import requests
import socketio
import websocket

from fer_web.realtime.watching import NAMESPACE
from fer_web.vision.frames import encode_jpeg
from tests.support.clients import send
from tests.support.faces import camera_frame_bgr
from tests.support.watched_server import LINK_NAME, WatchedServer

WAIT_S = 60


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request):
    with WatchedServer("--async-mode", request.param) as running:
        yield running


@pytest.fixture(scope="module")
def jpeg():
    return encode_jpeg(camera_frame_bgr(), 80)


class Listener:
    """A client that keeps what it hears, and lets a test wait for it."""

    def __init__(self, server, cookie, namespace, events):
        self.heard = []
        self._news = threading.Condition()
        self.client = socketio.Client(reconnection=False, request_timeout=WAIT_S)
        _hear_in_order(self.client)
        for event in (*events, "closing"):
            self.client.on(event, self._hear_as(event), namespace=namespace)
        headers = {"Cookie": cookie}
        options = {"namespaces": [namespace], "transports": ["websocket"], "wait_timeout": WAIT_S}
        self.client.connect(server.url, headers=headers, **options)

    def _hear_as(self, event):
        def hear(*arguments):
            with self._news:
                self.heard.append((event, *arguments))
                self._news.notify_all()

        return hear

    def wait_for(self, holds, wait_s=WAIT_S):
        """The first thing heard, from the beginning, for which this holds."""
        with self._news:
            assert self._news.wait_for(lambda: any(holds(*each) for each in self.heard), wait_s), self.heard[
                -5:
            ]
            return next(each for each in self.heard if holds(*each))

    def forget(self):
        with self._news:
            self.heard.clear()


def _hear_in_order(client):
    """As browsers do. This library has a thread a packet, and a picture may overtake its header."""
    trigger = client.eio._trigger_event
    client.eio._trigger_event = lambda *arguments, **options: trigger(
        *arguments, **{**options, "run_async": False}
    )


class Host(Listener):
    """The browser that is watched: it films when told to."""

    def __init__(self, server, jpeg):
        super().__init__(server, server.owner_cookie, "/", ["watched"])
        self._jpeg = jpeg
        self._is_filming = threading.Event()
        self._film = None

    def start(self):
        self._is_filming.set()
        self._film = threading.Thread(target=self._run)
        self._film.start()

    def stop(self):
        if self._film is not None:
            self._is_filming.clear()
            self._film.join()
            self._film = None
            if self.client.connected:
                self.client.call("stop", {})

    def _run(self):
        seq = 0
        # Until a test takes the connection away.
        with contextlib.suppress(socketio.exceptions.SocketIOError):
            while self._is_filming.is_set():
                seq += 1
                # Not for long: once its connection is away, no answer comes.
                with contextlib.suppress(socketio.exceptions.TimeoutError):
                    send(self.client, self._jpeg, seq, timeout=2)
                time.sleep(0.02)


@pytest.fixture
def host(server, jpeg):
    server.show_video(False)
    filming = Host(server, jpeg)
    yield filming
    filming.stop()
    filming.client.disconnect()


@pytest.fixture
def watch(server):
    """Lets visitors come in, one for each call."""
    cookies = iter(server.guest_cookies)
    with contextlib.ExitStack() as stack:

        def come():
            watcher = Listener(server, next(cookies), NAMESPACE, ["view", "state"])
            stack.callback(watcher.client.disconnect)
            return watcher

        yield come


def is_state(**expected):
    return lambda event, data=None, *_: event == "state" and expected.items() <= data.items()


def is_watched(**expected):
    return lambda event, data=None, *_: event == "watched" and expected == data


def is_view(event, *_):
    return event == "view"


def is_picture(event, *arguments):
    return event == "view" and len(arguments) == 2


def test_watcher_sees_the_stream_without_its_picture_and_the_page_is_told(host, watch):
    host.wait_for(is_watched(watchers=0, video=False))
    host.start()
    watcher = watch()
    watcher.wait_for(is_state(live=True, video=False, name=LINK_NAME, watchers=1))
    host.wait_for(is_watched(watchers=1, video=False))
    _event, view, *picture = watcher.wait_for(is_view)
    assert picture == []
    assert view["people"] == len(view["faces"]) == 1
    assert view["size"] == [640, 480]
    assert sum(view["faces"][0]["scores"].values()) == pytest.approx(1, abs=0.01)
    host.forget()
    watcher.client.disconnect()
    host.wait_for(is_watched(watchers=0, video=False))


def test_picture_comes_and_goes_with_the_hosts_decision(server, host, watch, jpeg):
    host.start()
    watcher = watch()
    watcher.wait_for(is_view)
    server.show_video(True)
    assert watcher.wait_for(is_picture)[2] == jpeg
    host.wait_for(is_watched(watchers=1, video=True))
    watcher.forget()
    server.show_video(False)
    watcher.wait_for(is_state(video=False))
    watcher.forget()
    watcher.wait_for(is_view)
    assert not [each for each in watcher.heard if is_picture(*each)]


def test_ten_views_a_second_at_most(host, watch):
    host.start()
    watcher = watch()
    watcher.wait_for(is_view)
    watcher.forget()
    start_s = time.monotonic()
    time.sleep(3)
    views = sum(is_view(*each) for each in list(watcher.heard))
    # Some may have waited on their way.
    assert views <= 10 * (time.monotonic() - start_s) + 5
    watcher.forget()
    watcher.wait_for(is_view)


def test_watcher_waits_for_the_host_and_sees_every_new_start(host, watch):
    watcher = watch()
    watcher.wait_for(is_state(live=False))
    for _ in range(2):
        watcher.forget()
        host.start()
        watcher.wait_for(is_state(live=True))
        watcher.wait_for(is_view)
        watcher.forget()
        host.stop()
        watcher.wait_for(is_state(live=False))
    watcher.forget()
    host.start()
    watcher.wait_for(is_view)
    watcher.forget()
    host.client.disconnect()
    watcher.wait_for(is_state(live=False))


def test_page_that_connects_again_hears_who_watches(server, host, watch, jpeg):
    watch()
    watch()
    host.wait_for(is_watched(watchers=2, video=False))
    again = Host(server, jpeg)
    again.wait_for(is_watched(watchers=2, video=False))
    again.client.disconnect()


@pytest.mark.parametrize("cookie", ["", "fer_guest=forged", None])
def test_nobody_comes_in_without_a_link(server, cookie):
    client = socketio.Client(reconnection=False, request_timeout=WAIT_S)
    refused = []
    client.on("connect_error", refused.append, namespace=NAMESPACE)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(
            server.url,
            headers={"Cookie": server.owner_cookie if cookie is None else cookie},
            namespaces=[NAMESPACE],
            transports=["websocket"],
            wait_timeout=WAIT_S,
        )
    client.disconnect()
    assert refused[0]["data"]["code"] == "link_needed"


def test_page_is_for_visitors_with_a_link_to_watch(server):
    page = requests.get(f"{server.url}/watch", headers={"Cookie": server.guest_cookies[0]}, timeout=60)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "watch_page" in page.text
    refused = requests.get(f"{server.url}/watch", headers={"Cookie": server.owner_cookie}, timeout=60)
    assert refused.status_code == 403
    assert "watch_page" not in refused.text


def test_whatever_a_watcher_says_is_refused_and_too_much_ends_it(watch):
    watcher = watch()
    for event in ("frame", "stop", "record", "view", "watched"):
        if event in ("frame", "stop"):
            error = watcher.client.call(event, {"seq": 1}, namespace=NAMESPACE)["error"]
            assert error["code"] == "bad_message"
    for _ in range(20):
        with contextlib.suppress(socketio.exceptions.BadNamespaceError):
            watcher.client.emit("state", {}, namespace=NAMESPACE)
    watcher.wait_for(lambda event, data=None, *_: event == "closing" and data["code"] == "too_many_messages")


class RawWatcher:
    """Speaks Socket.IO by hand, to say what no library would, and to read nothing."""

    def __init__(self, server, cookie, receive_buffer=None):
        options = ((socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer),) if receive_buffer else ()
        url = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(url, timeout=60, cookie=cookie, sockopt=options)
        assert self.socket.recv().startswith("0{")
        self.socket.send(f"40{NAMESPACE},")
        assert self.socket.recv().startswith(f"40{NAMESPACE},{{")

    def ends(self):
        """Whether the server ends the connection; texts that came before are thrown away."""
        self.socket.settimeout(WAIT_S)
        try:
            while self.socket.recv() not in ("1", ""):
                pass
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return True
        except websocket.WebSocketTimeoutException:
            return False
        return True


@pytest.mark.parametrize(
    "text",
    [
        '452-/watch,["frame",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        '42/watch,["connect"]',
        '42/watch,["disconnect"]',
        "42/watch,{}",
        "42/watch," + "[" * 10_000,
    ],
)
def test_packet_that_no_client_of_ours_sends_ends_the_watcher(server, text):
    watcher = RawWatcher(server, server.guest_cookies[-1])
    watcher.socket.send(text)
    assert watcher.ends()
    watcher.socket.shutdown()


def test_flood_of_a_watcher_ends_it(server):
    watcher = RawWatcher(server, server.guest_cookies[-1])
    with contextlib.suppress(OSError, websocket.WebSocketException):
        for _ in range(3000):
            watcher.socket.send(f"42{NAMESPACE},{json.dumps(['x'])}")
    assert watcher.ends()
    watcher.socket.shutdown()


@contextlib.contextmanager
def pongs_of(watchers):
    """Each answers pings that it has not read."""
    is_over = threading.Event()

    def answer():
        while not is_over.wait(2):
            for each in watchers:
                with contextlib.suppress(OSError, websocket.WebSocketException):
                    each.socket.send("3")

    answering = threading.Thread(target=answer)
    answering.start()
    try:
        yield
    finally:
        is_over.set()
        answering.join()


def test_watcher_that_never_reads_is_dropped_and_memory_stays_flat(server, host, watch):
    server.show_video(True)
    host.start()
    reader = watch()
    reader.wait_for(is_picture)
    before_mb = server.memory_mb
    deaf = [RawWatcher(server, cookie, receive_buffer=4096) for cookie in server.guest_cookies[-8:]]
    host.wait_for(is_watched(watchers=1 + len(deaf), video=True))
    host.forget()
    # By what they leave unread: a ping without an answer would end them first, where few pictures come.
    with pongs_of(deaf):
        host.wait_for(is_watched(watchers=1, video=True), 300)
    assert server.memory_mb - before_mb < 40
    reader.forget()
    reader.wait_for(is_picture)
    assert any("slow_reader" in line for line in server.output)
    for each in deaf:
        each.socket.shutdown()


def test_host_of_this_machine_watches_without_a_link_and_never_the_picture(server, host):
    server.show_video(True)
    token = {"host": server.host_token}
    session = requests.Session()
    page = session.get(f"{server.url}/overlay", params={**token, "show": "bars"}, timeout=60)
    assert page.status_code == 200
    assert page.url == f"{server.url}/overlay?show=bars"
    cookie = "; ".join(f"{each.name}={each.value}" for each in session.cookies)
    overlay = Listener(server, cookie, NAMESPACE, ["view", "state"])
    overlay.wait_for(is_state(live=False, video=False))
    host.start()
    overlay.wait_for(is_state(live=True, video=False))
    assert len(overlay.wait_for(is_view)) == 2
    host.wait_for(is_watched(watchers=1, video=False))
    overlay.client.disconnect()
    server.show_video(False)


def test_overlay_is_for_those_with_a_link_to_watch(server):
    for cookie, status in ((server.guest_cookies[0], 200), (server.owner_cookie, 403)):
        page = requests.get(f"{server.url}/overlay", headers={"Cookie": cookie}, timeout=60)
        assert (page.status_code, "overlay_page" in page.text) == (status, status == 200)

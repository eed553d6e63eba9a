"""Rules on a real server's streams, in both serving modes: page, recording, webhook and listeners."""

import contextlib
import itertools
import json
import queue
import threading
import time

import pytest
import requests
import socketio

from fer_web.vision.frames import encode_jpeg
from tests.support.clients import send
from tests.support.deaf_receivers import DeafWebhook
from tests.support.faces import camera_frame_bgr
from tests.support.hooks import Hook
from tests.support.servers import ServerProcess

WAIT_S = 60
EVENTS = "/api/v1/events"
SECRET = "a secret of the tests that is long enough"
HERE = {"when": "anyone", "effects": ["marker", "sound", "send"], "name": "Here"}


@pytest.fixture(scope="module")
def jpeg():
    return encode_jpeg(camera_frame_bgr(), 80)


@pytest.fixture(scope="module")
def hooks():
    with Hook(200) as hook, DeafWebhook() as deaf:
        yield hook, deaf


@pytest.fixture(scope="module", params=["eventlet", "threading"])
def server(request, hooks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("events")
    (folder / "secret").write_text(SECRET)
    receivers = [
        {"kind": "webhook", "name": name, "url": url, "secret_file": "secret", "allow_private": True}
        for name, url in (("hook", hooks[0].url()), ("deaf", hooks[1].url))
    ]
    path = folder / "events.json"
    path.write_text(json.dumps({"receivers": receivers, "keys": ["listening"]}))
    with ServerProcess("--async-mode", request.param, "--events", str(path)) as running:
        yield running


class Page:
    """A browser with a live page that streams a face."""

    def __init__(self, server, jpeg):
        self.url, self.http, self.heard = server.url, requests.Session(), queue.Queue()
        self.http.headers["Origin"] = server.url
        self.http.get(server.url, timeout=WAIT_S).raise_for_status()
        self._jpeg, self._seq = jpeg, itertools.count()
        self.socket = socketio.Client(reconnection=False, request_timeout=WAIT_S)
        for event in ("rule", "marked"):
            self.socket.on(event, lambda data, event=event: self.heard.put((event, data)))
        cookie = "; ".join(f"{each.name}={each.value}" for each in self.http.cookies)
        options = {"headers": {"Cookie": cookie}, "transports": ["websocket"], "wait_timeout": WAIT_S}
        self.socket.connect(server.url, **options)

    def ask(self, event, data):
        return self.socket.call(event, data, timeout=WAIT_S)

    def show(self):
        answer = send(self.socket, self._jpeg, next(self._seq), timeout=WAIT_S)
        assert len(answer["faces"]) == 1, answer

    def hear(self, event):
        """The next of this event."""
        while (heard := self.heard.get(timeout=WAIT_S))[0] != event:
            pass
        return heard[1]

    def close(self):
        self.socket.disconnect()


@pytest.fixture
def page(server, jpeg):
    made = Page(server, jpeg)
    yield made
    made.close()


class Listener:
    """Reads server-sent events in a thread; `listening` is set when the answer begins."""

    def __init__(self, url, session=None, **options):
        self.events = queue.Queue()
        self._answer = (session or requests).get(f"{url}{EVENTS}", stream=True, timeout=WAIT_S, **options)
        assert self._answer.status_code == 200, self._answer.text
        assert self._answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        self._lines = self._answer.iter_lines(chunk_size=1, decode_unicode=True)
        assert next(self._lines).startswith("retry: ")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with contextlib.suppress(requests.RequestException, AttributeError, ValueError):
            event = {}
            for line in self._lines:
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif "data" in event:
                    self.events.put((event["event"], event["id"], json.loads(event["data"])))
                    event = {}
        self.events.put(None)

    def close(self):
        # Without it, closing waits for the next comment, which a thread reads. A server may be gone already.
        with contextlib.suppress(ValueError):
            self._answer.raw.shutdown()
        self._answer.close()


@pytest.fixture(scope="module")
def host(server):
    """The host's browser."""
    session = requests.Session()
    session.headers["Origin"] = server.url
    token = server.wait_for_line(r"host=([\w-]+)")[1]
    session.get(server.url, params={"host": token}, timeout=WAIT_S).raise_for_status()
    return session


def key_of(host, name):
    """The headers of a program with a new key of this name."""
    answer = host.post(f"{host.headers['Origin']}/api/v1/keys", json={"name": name}, timeout=WAIT_S)
    return {"Authorization": f"Bearer {answer.json()['key']}"}


def test_a_rule_of_the_page_reaches_page_recording_webhook_and_listeners(server, host, page, hooks):
    hook, _ = hooks
    hook.got.clear()
    session = page.ask("record", {"on": True})["session"]
    listeners = [
        Listener(server.url, page.http),
        Listener(server.url, host),
        Listener(server.url, headers=key_of(host, "listening")),
        Listener(server.url),
    ]
    assert page.ask("rules", {"rules": [HERE, {"when": "nobody", "for_s": 3600}]}) == {
        "rules": 2,
        "sends": True,
    }
    page.show()
    page.show()
    assert page.hear("rule") == {"rule": "Here", "sound": True}
    marked = page.hear("marked")
    assert (marked["session"], marked["marker"]["text"]) == (session, "Here")
    hook.wait_for(1)
    ((_, headers, body),) = hook.got
    event = json.loads(body)
    assert (event["rule"], event["when"], len(event["faces"])) == ("Here", "anyone", 1)
    assert headers["webhook-id"] == event["id"]
    for listener in listeners[:3]:
        assert listener.events.get(timeout=WAIT_S) == ("rule", event["id"], event)
    assert listeners[3].events.empty(), "another browser hears nothing of it"
    for listener in listeners:
        listener.close()
    page.ask("stop", {})
    markers = page.http.get(f"{server.url}/api/v1/sessions/{session}", timeout=WAIT_S).json()["markers"]
    assert [(each["id"], each["text"]) for each in markers] == [(marked["marker"]["id"], "Here")]


def test_the_pages_of_this_machine_see_how_receivers_do(server, page):
    page.ask("rules", {"rules": [HERE]})
    page.show()
    end_s = time.monotonic() + WAIT_S
    while True:
        answer = page.http.get(f"{server.url}{EVENTS}/receivers", timeout=WAIT_S).json()
        states = {each["name"]: each for each in answer["receivers"]}
        if states["deaf"]["state"] == "failing" and states["hook"]["state"] == "connected":
            break
        assert time.monotonic() < end_s, states
        time.sleep(0.1)
    assert answer["may_send"] is True
    assert states["deaf"]["reason"] == "no answer came (it takes too long)"
    assert SECRET not in json.dumps(answer)
    assert "token" not in json.dumps(answer)


def test_rules_that_are_not_allowed_are_refused_and_the_old_ones_stay(page):
    page.ask("rules", {"rules": [HERE]})
    for rules, told in (([{"when": "bored"}], "Rule 1"), ([HERE] * 21, "21 rules came"), ("x", "str came")):
        error = page.ask("rules", {"rules": rules})["error"]
        assert error["code"] == "bad_value"
        assert told in error["message"]
    assert page.ask("rules", {"url": "http://127.0.0.1/"})["error"]["code"] == "bad_message"
    page.show()
    assert page.hear("rule")["rule"] == "Here"


def test_other_keys_may_not_listen_and_nobody_listens_too_often(server, host):
    answer = requests.get(f"{server.url}{EVENTS}", headers=key_of(host, "other"), timeout=WAIT_S)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    headers = key_of(host, "listening")
    listeners = [Listener(server.url, headers=headers) for _ in range(4)]
    answer = requests.get(f"{server.url}{EVENTS}", headers=headers, timeout=WAIT_S)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_jobs")
    # One that has gone is noticed with the next comment, or at once.
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_who_only_asks_leaves_no_listener_behind(server, page, method):
    for _ in range(6):
        answer = page.http.request(method, f"{server.url}{EVENTS}", timeout=WAIT_S)
        assert answer.status_code == 200


def test_a_server_ends_in_time_with_listeners_and_a_receiver_that_hangs(server, page):
    """Runs last: the fixture's own end is what is tested."""
    listener = Listener(server.url, page.http)
    page.ask("rules", {"rules": [HERE]})
    page.show()
    assert listener.events.get(timeout=WAIT_S)[2]["rule"] == "Here"
    assert server.stop() == 0
    listener.close()

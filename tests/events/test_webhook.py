"""Webhooks against real servers on this machine: signed, tried again, cut short, and never led elsewhere."""

import base64
import datetime
import hashlib
import hmac
import json
import runpy
import socket
import threading
import time

import pytest
import trustme

from fer_web.errors import SettingsError
from fer_web.events.delivery import Delivery, ReceiverError
from fer_web.events.rules import Rule
from fer_web.events.types import Fired
from fer_web.events.webhook import WebhookReceiver, secret_key, signature, web_address
from tests.support.hooks import Hook
from tests.support.servers import ROOT

SECRET = b"0123456789abcdef0123"
AT = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=datetime.UTC)


def fired(number=1, rule=None):
    return Fired(f"event{number}", "stream1", rule or Rule("sad", 5, name="Trüb"), (3,), 10.0, AT, False)


def receiver(url, **options):
    options.setdefault("allow_private", True)
    return WebhookReceiver(web_address(url), SECRET, **options)


def test_the_signature_is_that_of_standard_webhooks():
    """The example of the specification."""
    key = secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_event_is_posted_with_a_signature_that_its_receiver_can_check():
    with Hook(204) as hook:
        receiver(hook.url(), wall_clock=lambda: 1700000000.9).send(fired())
    ((path, headers, body),) = hook.got
    assert path == "/hook?token=t0ken"
    assert json.loads(body) == {
        "type": "rule",
        "id": "event1",
        "timestamp": "2026-03-01T12:00:00.123Z",
        "rule": "Trüb",
        "when": "sad",
        "for_s": 5,
        "people": 1,
        "faces": [3],
        "stream": "stream1",
    }
    assert headers["webhook-id"] == "event1"
    assert headers["webhook-timestamp"] == "1700000000"
    wanted = hmac.new(SECRET, b"event1.1700000000." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()


@pytest.mark.parametrize(
    ("late_s", "more", "genuine"), [(0, b"", True), (299, b"", True), (301, b"", False), (0, b"!", False)]
)
def test_the_example_knows_a_genuine_event_from_others(monkeypatch, late_s, more, genuine):
    check = runpy.run_path(str(ROOT / "examples" / "webhook_check.py"))["is_genuine"]
    headers = {"webhook-id": "event1", "webhook-timestamp": "1700000000"}
    headers["webhook-signature"] = signature(SECRET, "event1", 1700000000, b"{}")
    monkeypatch.setattr(time, "time", lambda: 1700000000 + late_s)
    assert check(SECRET, headers, b"{}" + more) is genuine


def test_it_is_tried_again_with_growing_pauses_until_it_is_taken():
    pauses = []

    def pause_s(tries):
        pauses.append(tries)
        return 0.0

    with Hook(503, 500, 429, 200) as hook:
        delivery = Delivery("hook", receiver(hook.url()), pause_s)
        delivery.start()
        delivery.offer(fired(1))
        delivery.offer(fired(2))
        hook.wait_for(5)
        end_s = time.monotonic() + 60
        while delivery.state().sent < 2 and time.monotonic() < end_s:
            time.sleep(0.01)
        delivery.stop()
        delivery.join(60)
    assert [headers["webhook-id"] for _, headers, _ in hook.got] == ["event1"] * 4 + ["event2"]
    assert pauses == [1, 2, 3]
    state = delivery.state()
    assert (state.state, state.reason, state.sent, state.dropped) == ("connected", "", 2, 0)


def test_a_receiver_may_ask_for_a_pause():
    with Hook(429, headers=[("Retry-After", "7")]) as hook, pytest.raises(ReceiverError) as raised:
        receiver(hook.url()).send(fired())
    assert (raised.value.retry_after_s, raised.value.is_final) == (7.0, False)


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_what_is_refused_is_not_sent_again(status):
    with Hook(status) as hook, pytest.raises(ReceiverError, match=f"status {status}") as raised:
        receiver(hook.url()).send(fired())
    assert raised.value.is_final


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status):
    with Hook(200) as goal:
        to = [("Location", goal.url("/stolen"))]
        with Hook(status, headers=to) as hook, pytest.raises(ReceiverError, match="redirect"):
            receiver(hook.url()).send(fired())
    assert goal.got == []


def test_a_private_address_is_not_called_unless_it_is_allowed():
    with Hook(200) as hook:
        for url in (
            hook.url(),
            hook.url().replace("127.0.0.1", "localhost"),
            hook.url().replace("127.0.0.1", "127.1"),
        ):
            with pytest.raises(ReceiverError, match="allow_private"):
                receiver(url, allow_private=False).send(fired())
    assert hook.got == []


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch):
    with Hook(200) as proxy, Hook(200) as hook:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url(""))
        receiver(hook.url()).send(fired())
    assert (len(hook.got), proxy.got) == (1, [])


@pytest.mark.parametrize("drip", [b"", b"H"], ids=["silent", "one byte at a time"])
def test_one_that_hangs_is_cut_after_the_whole_time(drip):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        is_over = threading.Event()

        def serve():
            connection, _ = listener.accept()
            with connection:
                while not is_over.wait(0.05):
                    try:
                        connection.sendall(drip)
                    except OSError:
                        return

        server = threading.Thread(target=serve)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        # The receiver goes on for ever: only a time for the whole answer ends this.
        with pytest.raises(ReceiverError, match="it takes too long"):
            receiver(url, answer_timeout_s=0.5).send(fired())
        is_over.set()
        server.join()


def test_a_server_that_speaks_no_http_and_one_that_is_not_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail\r\n\r\n")

        server = threading.Thread(target=serve)
        server.start()
        with pytest.raises(ReceiverError, match="no answer came"):
            receiver(url).send(fired())
        server.join()
    with pytest.raises(ReceiverError, match="refused"):
        receiver(url).send(fired())


def test_https_is_checked_for_the_name_and_not_for_the_address():
    import ssl

    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with Hook(200, tls=served) as hook:
        url = hook.url().replace("http://127.0.0.1", "https://localhost")
        receiver(url, tls=trusting).send(fired())
        for wrong in (url.replace("localhost", "127.0.0.1"), url):
            tls = trusting if "127.0.0.1" in wrong else None
            with pytest.raises(ReceiverError, match="certificate"):
                receiver(wrong, tls=tls).send(fired())
    assert [headers["Host"] for _, headers, _ in hook.got] == [f"localhost:{hook.server_port}"]


@pytest.mark.parametrize(
    "url",
    ["", "example.org/x", "ftp://example.org/", "file:///etc/passwd", "http://", "http://a b/", "http://x:99999/",
     "https://user:s3cret@example.org/", "http://x/\r\nHost: y", "http://x/ü"],
)  # fmt: skip
def test_addresses_that_are_none_are_refused_without_being_repeated(url):
    with pytest.raises(SettingsError) as raised:
        web_address(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("text", ["short", "whsec_%%%%", "whsec_YWJj", ""])
def test_secrets_that_protect_nothing_are_refused(text):
    with pytest.raises(SettingsError):
        secret_key(text)

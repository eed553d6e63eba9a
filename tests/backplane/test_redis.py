"""Two backplanes and a real Redis between them."""

import contextlib
import queue
import threading
import time

import pytest

from fer_web.backplane import redis as backplane
from fer_web.backplane.redis import MAX_WAITING, RedisBackplane, packed, unpacked
from fer_web.backplane.types import CONNECTED, Message
from fer_web.errors import SetupError
from tests.support.redis import RedisServer

WAIT_S = 60


@pytest.fixture(scope="module")
def server():
    with RedisServer() as running:
        yield running


@contextlib.contextmanager
def process(server, name="service"):
    """A running backplane and what it hears, CONNECTED and "news"."""
    plane = RedisBackplane(server.url, name, lambda function: function())
    heard = queue.Queue()
    for topic in (CONNECTED, "news"):
        plane.subscribe(topic, heard.put)
    thread = threading.Thread(target=plane.run)
    thread.start()
    try:
        yield plane, heard
    finally:
        plane.stop()
        thread.join(WAIT_S)
    assert not thread.is_alive()


@pytest.fixture
def pair(server):
    with process(server) as one, process(server) as other:
        for _, heard in (one, other):
            assert heard.get(timeout=WAIT_S).topic == CONNECTED
        yield one, other


def test_the_other_hears_it_in_order_and_the_sender_does_not(pair):
    (one, own), (other, heard) = pair
    for number in range(20):
        one.publish("news", {"number": number}, bytes([number, 10, 0]))
    messages = [heard.get(timeout=WAIT_S) for _ in range(20)]
    assert [(each.body["number"], each.blob) for each in messages] == [
        (n, bytes([n, 10, 0])) for n in range(20)
    ]
    assert {each.sender for each in messages} == {one.process} != {other.process}
    other.publish("news", {})
    assert own.get(timeout=WAIT_S).sender == other.process
    assert own.empty()


def test_another_service_on_the_same_redis_hears_nothing(server, pair):
    (one, _), (_, heard) = pair
    with process(server, "another") as (_, foreign):
        assert foreign.get(timeout=WAIT_S).topic == CONNECTED
        one.publish("news", {})
        heard.get(timeout=WAIT_S)
        assert foreign.empty()


def test_a_subscriber_that_fails_keeps_nothing_from_the_next(pair):
    (one, _), (other, heard) = pair
    other.subscribe("bad", lambda _message: 1 // 0)
    one.publish("bad", {})
    one.publish("news", {"after": True})
    assert heard.get(timeout=WAIT_S).body == {"after": True}


def test_of_what_waits_under_one_key_the_newest_is_kept_and_the_oldest_of_all_are_dropped(server):
    plane = RedisBackplane(server.url, "waiting", lambda function: function())
    for number in range(MAX_WAITING + 10):
        plane.publish("news", {"n": number})
        plane.publish("view", {"n": number}, key="camera")
    waiting = [unpacked(plane._next()) for _ in range(len(plane._outbox))]
    assert len(waiting) == MAX_WAITING
    assert [each.body["n"] for each in waiting if each.topic == "view"] == [MAX_WAITING + 9]
    assert waiting[0].body["n"] == 11


@pytest.mark.parametrize("trouble", ["stopped", "frozen"])
def test_without_redis_nobody_waits_and_when_it_is_back_both_are_told(trouble, caplog):
    with RedisServer() as server, process(server) as (one, own), process(server) as (_, heard):
        for each in (own, heard):
            assert each.get(timeout=WAIT_S).topic == CONNECTED
        server.stop() if trouble == "stopped" else server.freeze()
        deadline = time.monotonic() + WAIT_S
        while caplog.text.count("works on alone") < 2 and time.monotonic() < deadline:
            # Returns at once, whatever Redis does.
            one.publish("other", {}, key="other")
            time.sleep(0.05)
        server.start() if trouble == "stopped" else server.thaw()
        for each in (own, heard):
            assert each.get(timeout=WAIT_S).topic == CONNECTED
        one.publish("news", {"again": 1})
        # Sender and listener may each tell that Redis is back.
        while (message := heard.get(timeout=WAIT_S)).topic == CONNECTED:
            pass
        assert message.body == {"again": 1}
        assert caplog.text.count("Redis is back") == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]\n",
        b'["a",1,{}]\n',
        b'["a","b",[]]\n',
        b"\xff\n",
        b"[" * 100_000,
        b'["a","b",{}]\n' + bytes(backplane.MAX_MESSAGE_BYTES),
        "text",
        3,
    ],
    ids=range(10),
)
def test_what_is_no_message_is_none(data):
    assert unpacked(data) is None


def test_a_message_comes_back_whole():
    message = Message("t", "s", {"ü": [1, None, "\n"]}, b"\n\x00\n")
    assert unpacked(packed(message)) == message


def test_a_wrong_address_is_refused_without_being_told():
    with pytest.raises(SetupError, match="address of Redis") as caught:
        RedisBackplane("http://u:hunter2@h", "name", lambda function: function())
    assert "hunter2" not in str(caught.value)


def test_without_the_package_the_reader_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(SetupError, match=r"requirements-scale\.txt"):
        RedisBackplane("redis://h", "name", lambda function: function())

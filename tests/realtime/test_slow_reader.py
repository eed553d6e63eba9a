from types import SimpleNamespace

import pytest
from flask import Flask, request

from fer_web.realtime.events import MAX_QUEUED_PACKETS, ClientLimits, StreamEvents
from fer_web.realtime.streams import FrameAnswer, StreamRegistry
from fer_web.sharing.places import THIS_MACHINE

LIMITS = ClientLimits(frames_per_s=60, frame_bytes=1000)


class FakeConnection:
    """An Engine.IO connection with so many packets that nobody has read."""

    def __init__(self, queued):
        self.queue = SimpleNamespace(qsize=lambda: queued)
        self.closed_with = None
        self.closing = self.closed = False

    def close(self, wait, reason):
        assert wait is False
        self.closed_with = reason
        self.closed = True


class FakeSocketIO:
    """The part of SocketIO that the handlers use."""

    def __init__(self, connection):
        eio = SimpleNamespace(sockets={"eio": connection}, reason=SimpleNamespace(SERVER_DISCONNECT="server"))
        manager = SimpleNamespace(eio_sid_from_sid=lambda _sid, _namespace: "eio")
        self.server = SimpleNamespace(eio=eio, manager=manager)
        self.emitted = []

    def emit(self, event, data, to, namespace):
        self.emitted.append((event, data["code"], to))


class AnsweringScheduler:
    def submit(self, _stream, message):
        return FrameAnswer(message.seq, dropped="newer_frame")


class NoRecordings:
    def connect(self, sid, sender):
        """Nothing is recorded."""


class NobodyWatches:
    def page_arrived(self, sid, *, is_local):
        """Nobody is told."""

    def stream_began(self, sid):
        """Nobody is told."""


class NoRules:
    def connect(self, sid, *, is_local):
        """Nothing is evaluated."""

    def stream_began(self, sid):
        """Nothing is evaluated."""


class EverybodyMayEnter:
    def enter_live(self, sid, end):
        """Nobody is refused."""
        return THIS_MACHINE

    def set_streaming(self, sid, is_streaming):
        """Nobody is told."""


def send_frame(queued):
    connection = FakeConnection(queued)
    socketio = FakeSocketIO(connection)
    streams, answering = StreamRegistry(lambda: None, 4), AnsweringScheduler()
    events = StreamEvents(
        socketio,
        streams,
        answering,
        NoRecordings(),
        None,
        NobodyWatches(),
        NoRules(),
        EverybodyMayEnter(),
        LIMITS,
    )
    with Flask(__name__).test_request_context():
        request.sid = "a"
        events.on_connect()
        replies = [events.on_frame({"seq": seq, "captured_ms": 0}, b"x") for seq in (1, 2)]
    return replies, socketio.emitted, connection.closed_with


def test_client_that_reads_is_answered():
    replies, emitted, closed_with = send_frame(queued=3)
    assert [reply["seq"] for reply in replies] == [1, 2]
    assert (emitted, closed_with) == ([], None)


@pytest.mark.parametrize("queued", [MAX_QUEUED_PACKETS + 1, 100_000])
def test_client_that_does_not_read_is_told_once_and_disconnected_without_waiting(queued):
    replies, emitted, closed_with = send_frame(queued)
    assert replies == [None, None]
    assert emitted == [("closing", "slow_reader", "a")]
    assert closed_with == "server"

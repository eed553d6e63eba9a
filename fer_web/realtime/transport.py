"""Limits on packets between the network and the handlers: a hostile client ends its own connection alone.

Flask-SocketIO and python-socketio check what well-meaning clients send. Each check here has its attack in
tests/serving/test_hostile_clients.py.
"""

import io
import json
import logging
import time
import weakref
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs

from socketio.packet import BINARY_ACK, BINARY_EVENT, CONNECT, EVENT, Packet

from fer_web.errors import SlowUploadError, TooManyMessagesError
from fer_web.rate_limit import TokenBucket
from fer_web.realtime.reading_pace import ReadingPace
from fer_web.serving.log_filter import keep_to_one_line
from fer_web.serving.message_bounds import MAX_TEXT_BYTES

_log = logging.getLogger(__name__)

RESERVED_EVENTS = ("connect", "disconnect", "*", "message", "error")
"""Names that call our own handlers of connections when a client sends them as events."""

PACKETS_A_FRAME = 4
"""Two for the frame; the rest leaves room for pongs and other events."""

FRAME_SHARE = 0.5
"""Frames of the largest size that a client may send, as a share of --max-frames-per-s: 9 MB a second."""

MAX_CONNECTS = 8
"""A connection may ask so often to be let in: once for each namespace, and again after a refusal."""

_ENGINE_PACKET_TYPES = "0123456"
_SEPARATOR = b"\x1e"
_BINARY = b"b"
_READ_BYTES = 16_384


_LAST_HEADERS = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
"""Of an answer after which the connection ends."""


class StrictPacket(Packet):  # type: ignore[misc]  # python-socketio has no types
    """A Socket.IO packet that a client of ours could have sent; anything else raises ValueError.

    A frame has one binary part: more would be kept in memory until the last one comes.
    """

    def decode(self, encoded_packet: Any) -> int:
        """Parse; returns the number of attachments to come."""
        attachments = int(super().decode(encoded_packet) or 0)
        expected = 1 if self.packet_type in (BINARY_EVENT, BINARY_ACK) else 0
        if attachments != expected:
            raise ValueError(f"{attachments} attachments, {expected} expected")
        if self.packet_type in (EVENT, BINARY_EVENT):
            _check_event(self.data)
        return attachments


VISITOR_SHARE = 3
"""All connections of a visitor may send so many times what one may: three pages with a camera each, whose
frames come faster than a slow server answers, were read unevenly with less."""


class ConnectionBudget:
    """What one connection may send, by whichever transport: packets and bytes a second.

    Bytes, because eight frames may be in flight and each may be the largest: packets alone would let a client
    send 36 MB a second.
    """

    def __init__(
        self, packets: TokenBucket, data: TokenBucket, tell: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        """Args: data: of bytes. tell: hears of all bytes and packets, for a budget of several connections."""
        self._packets = packets
        self._data = data
        self._tell = tell

    def take(self, size: int, packets: int = 1) -> bool:
        """Spend so many bytes that came in so many packets; False where that is too much."""
        self._tell(size, packets)
        return self._packets.take(packets) and self._data.take(size)


_BudgetOf = Callable[[Any], ConnectionBudget]


class LimitedWebSocket:
    """A WebSocket as Engine.IO uses it, with a budget and turns for others between its packets."""

    def __init__(
        self,
        websocket: Any,
        budget: ConnectionBudget,
        give_way: Callable[[], None],
        wait_to_read: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        give_way: lets other connections run; a reader with data at hand never would by itself.
        wait_to_read: returns when the next packet may be read.
        """
        self._wait_to_read = wait_to_read
        self._websocket = websocket
        self._budget = budget
        self._give_way = give_way

    @property
    def socket(self) -> Any:
        """The network socket, on which Engine.IO sets its timeout; None where there is none to set."""
        return getattr(self._websocket, "socket", None)

    def wait(self) -> Any:
        """The next packet; None ends the connection."""
        self._wait_to_read()
        data = self._websocket.wait()
        self._give_way()
        if data is None or not _is_engine_packet(data):
            return None
        if not self._budget.take(len(data)):
            _log.warning("Disconnecting a client: too_many_messages")
            self._say_closing()
            return None
        return data

    def send(self, message: Any) -> Any:
        """Send one packet."""
        return self._websocket.send(message)

    def close(self) -> None:
        """End the connection."""
        self._websocket.close()

    def _say_closing(self) -> None:
        try:
            self._websocket.send("42" + json.dumps(["closing", _TOO_MUCH.to_wire()]))
        except OSError:
            return


_TOO_MUCH = TooManyMessagesError("Too many messages a second came. Wait for the answers to your frames.")


def limit_packets(server: Any, max_frames_per_s: int, max_frame_bytes: int) -> ReadingPace:
    """Limit what clients send to a python-socketio server that was built with `serializer=StrictPacket`.

    Returns the pace at which its connections are read: one visitor's have together VISITOR_SHARE.
    """
    packets_per_s = PACKETS_A_FRAME * max_frames_per_s
    bytes_per_s = max_frames_per_s * max_frame_bytes * FRAME_SHARE
    pace = ReadingPace(VISITOR_SHARE * packets_per_s, VISITOR_SHARE * bytes_per_s)

    def budget_of(connection: Any) -> ConnectionBudget:
        """The budget of an Engine.IO connection, kept with it: it may change its transport."""
        if (budget := connection.__dict__.get("budget")) is None:
            # A circle would keep what a client that is gone left unread, until the collector comes.
            known = weakref.ref(connection)
            budget = connection.budget = ConnectionBudget(
                TokenBucket(packets_per_s, time.monotonic),
                TokenBucket(bytes_per_s, time.monotonic),
                lambda size, packets: pace.spend(known(), size, packets),
            )
        return cast(ConnectionBudget, budget)

    _limit_websockets(server.eio, budget_of, pace)
    _limit_polling(server.eio, budget_of, pace)
    _limit_messages(server)
    _limit_disconnect(server.eio)
    keep_to_one_line("engineio.server")
    return pace


def _limit_websockets(engine: Any, budget_of: _BudgetOf, pace: ReadingPace) -> None:
    base = engine._async["websocket"]

    def limited(handler: Callable[[Any], Any], owner: Any) -> Any:
        connection = handler.__self__  # type: ignore[attr-defined]  # it is a method of the connection
        budget = budget_of(connection)

        def handle(websocket: Any) -> Any:
            return handler(
                LimitedWebSocket(
                    websocket,
                    budget,
                    lambda: engine.sleep(0),
                    lambda: pace.wait(connection, engine.sleep),
                )
            )

        return base(handle, owner)

    engine._async = {**engine._async, "websocket": limited}


def _limit_polling(engine: Any, budget_of: _BudgetOf, pace: ReadingPace) -> None:
    """A body is read here, as far as its packets are such as a client of ours sends."""
    handle = engine.handle_request

    def handle_request(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        connection = engine.sockets.get(parse_qs(environ.get("QUERY_STRING", "")).get("sid", [""])[0])
        length = int(environ.get("CONTENT_LENGTH") or 0)
        is_bounded = environ["REQUEST_METHOD"] == "POST" and length <= engine.max_http_buffer_size
        if connection is not None and not connection.upgraded and is_bounded:
            pace.wait(connection, engine.sleep)
            try:
                body = _read_packets(environ["wsgi.input"], length)
            except SlowUploadError as exc:
                connection.close(wait=False, reason=engine.reason.SERVER_DISCONNECT)
                start_response("408 Request Timeout", _LAST_HEADERS)
                return [f"{exc}\n".encode()]
            if body is None or not budget_of(connection).take(len(body), body.count(_SEPARATOR) + 1):
                _log.warning("Disconnecting a client: too_many_messages")
                connection.close(wait=False, reason=engine.reason.SERVER_DISCONNECT)
                start_response("413 Content Too Large", _LAST_HEADERS)
                return [f"{_TOO_MUCH} A text may have {MAX_TEXT_BYTES} bytes.\n".encode()]
            environ = {**environ, "wsgi.input": io.BytesIO(body)}
        return handle(environ, start_response)

    engine.handle_request = handle_request


def _read_packets(stream: Any, length: int) -> bytes | None:
    """A body of packets, up to the first text that is too long: then None."""
    body, begin = bytearray(), 0
    while len(body) < length and (part := stream.read(min(_READ_BYTES, length - len(body)))):
        body += part
        found = _begin_of_last(body, begin)
        if found is None:
            return None
        begin = found
    return bytes(body)


def _begin_of_last(body: bytearray, begin: int) -> int | None:
    """Where the last packet begins, of those from `begin` on; None where a text is too long."""
    while True:
        end = body.find(_SEPARATOR, begin)
        size = (len(body) if end < 0 else end) - begin
        if size > MAX_TEXT_BYTES and not body.startswith(_BINARY, begin):
            return None
        if end < 0:
            return begin
        begin = end + 1


def _limit_messages(server: Any) -> None:
    """A packet that cannot be understood ends its connection, with one line in the log.

    So does any but that which asks to be let in, of a connection that is not.
    """
    handle = server.eio.handlers["message"]

    def on_message(eio_sid: str, data: Any) -> None:
        connection = server.eio.sockets.get(eio_sid)
        if connection is None or connection.closed:
            return
        try:
            if not (_asks_to_connect(connection, data) or is_inside(server, eio_sid)):
                raise ValueError("not admitted")
            handle(eio_sid, data)
        except Exception as exc:
            _log.warning("Disconnecting a client: bad_packet (%s)", type(exc).__name__)
            server._binary_packet.pop(eio_sid, None)
            connection.close(wait=False, reason=server.eio.reason.SERVER_DISCONNECT)

    server.eio.handlers["message"] = on_message


def is_inside(server: Any, eio_sid: str) -> bool:
    """Tell whether a connection is in any namespace of a python-socketio server."""
    manager = server.manager
    return any(manager.sid_from_eio_sid(eio_sid, each) for each in list(manager.get_namespaces()))


def _asks_to_connect(connection: Any, data: Any) -> bool:
    """Tell whether a packet asks to be let in; counted, as each costs a look at cookies and links."""
    if not isinstance(data, str) or not data.startswith(str(CONNECT)):
        return False
    asked: int = connection.__dict__.get("asked", 0) + 1
    connection.asked = asked
    return asked <= MAX_CONNECTS


def _limit_disconnect(engine: Any) -> None:
    """Engine.IO's own waits until the client has read everything, which it may never do."""

    def disconnect(sid: str | None = None) -> None:
        for each in [sid] if sid is not None else list(engine.sockets):
            connection = engine.sockets.pop(each, None)
            if connection is not None:
                connection.close(wait=False, reason=engine.reason.SERVER_DISCONNECT)

    engine.disconnect = disconnect


def _is_engine_packet(data: Any) -> bool:
    return isinstance(data, bytes) or (bool(data) and data[0] in _ENGINE_PACKET_TYPES)


def _check_event(data: Any) -> None:
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        raise ValueError("an event is a list that begins with its name")
    if data[0] in RESERVED_EVENTS:
        raise ValueError("a reserved name")

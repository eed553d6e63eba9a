"""Limits on packets between the network and the handlers: a hostile client ends its own connection alone.

Flask-SocketIO and python-socketio check what well-meaning clients send. Each check here has its attack in
tests/serving/test_hostile_clients.py.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from socketio.packet import BINARY_ACK, BINARY_EVENT, EVENT, Packet

from fer_web.errors import TooManyMessagesError
from fer_web.rate_limit import TokenBucket
from fer_web.serving.log_filter import keep_to_one_line

_log = logging.getLogger(__name__)

RESERVED_EVENTS = ("connect", "disconnect", "*", "message", "error")
"""Names that call our own handlers of connections when a client sends them as events."""

PACKETS_A_FRAME = 4
"""Two for the frame; the rest leaves room for pongs and other events."""

_ENGINE_PACKET_TYPES = "0123456"


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


class LimitedWebSocket:
    """A WebSocket as Engine.IO uses it, with a budget of packets and turns for others between them."""

    def __init__(self, websocket: Any, budget: TokenBucket, give_way: Callable[[], None]) -> None:
        """Args: give_way: lets other connections run; a reader with data at hand never would by itself."""
        self._websocket = websocket
        self._budget = budget
        self._give_way = give_way

    @property
    def socket(self) -> Any:
        """The network socket, on which Engine.IO sets its timeout; None where there is none to set."""
        return getattr(self._websocket, "socket", None)

    def wait(self) -> Any:
        """The next packet; None ends the connection."""
        data = self._websocket.wait()
        self._give_way()
        if data is None or not _is_engine_packet(data):
            return None
        if not self._budget.take():
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
        error = TooManyMessagesError("Too many messages a second came. Wait for the answers to your frames.")
        try:
            self._websocket.send("42" + json.dumps(["closing", error.to_wire()]))
        except OSError:
            return


def limit_packets(server: Any, max_frames_per_s: int) -> None:
    """Limit what clients send to a python-socketio server that was built with `serializer=StrictPacket`."""
    _limit_websockets(server.eio, PACKETS_A_FRAME * max_frames_per_s)
    _limit_messages(server)
    _limit_disconnect(server.eio)
    keep_to_one_line("engineio.server")


def _limit_websockets(engine: Any, max_packets_per_s: int) -> None:
    base = engine._async["websocket"]

    def limited(handler: Callable[[Any], Any], owner: Any) -> Any:
        def handle(websocket: Any) -> Any:
            budget = TokenBucket(max_packets_per_s, time.monotonic)
            return handler(LimitedWebSocket(websocket, budget, lambda: engine.sleep(0)))

        return base(handle, owner)

    engine._async = {**engine._async, "websocket": limited}


def _limit_messages(server: Any) -> None:
    """A packet that cannot be understood ends its connection, with one line in the log."""
    handle = server.eio.handlers["message"]

    def on_message(eio_sid: str, data: Any) -> None:
        connection = server.eio.sockets.get(eio_sid)
        if connection is None or connection.closed:
            return
        try:
            handle(eio_sid, data)
        except Exception as exc:
            _log.warning("Disconnecting a client: bad_packet (%s)", type(exc).__name__)
            server._binary_packet.pop(eio_sid, None)
            connection.close(wait=False, reason=server.eio.reason.SERVER_DISCONNECT)

    server.eio.handlers["message"] = on_message


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

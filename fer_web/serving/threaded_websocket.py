"""simple-websocket within bounds: it takes in messages of any kind, number and compression by itself."""

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import simple_websocket
from wsproto.events import AcceptConnection, TextMessage
from wsproto.utilities import LocalProtocolError

from fer_web.rate_limit import TokenBucket
from fer_web.serving.message_bounds import MessageBounds

_LOOK_S = 0.005


class BoundedWebSocket(simple_websocket.Server):  # type: ignore[misc]  # it has no types
    """One connection, read by a thread of its own.

    - Texts and binary messages have bounds of their own.
    - permessage-deflate is not offered: a message of 64 KB could become 64 MB before its length is known.
    - Who sends faster than messages are handled is not read meanwhile, so that nothing piles up in memory.
    - Parts are counted: empty ones, and pings, are never seen by who counts messages.
    """

    def __init__(self, environ: dict[str, Any], bounds: MessageBounds, **options: Any) -> None:
        self._bounds = bounds
        self.ws: Any
        super().__init__(environ, **options)

    def handshake(self) -> None:
        """As simple-websocket's, within bounds from here on."""
        self.ws = _BoundedProtocol(self.ws, self, self._bounds)
        super().handshake()


class _BoundedProtocol:
    """wsproto's side of a connection, as far as simple-websocket uses it."""

    def __init__(self, protocol: Any, connection: Any, bounds: MessageBounds) -> None:
        self._connection = connection
        self._bounds = bounds
        self._parts = TokenBucket(bounds.parts_per_s, time.monotonic)
        self._protocol = protocol
        self.receive_data = protocol.receive_data

    def send(self, event: Any) -> Any:
        """The bytes of an event."""
        if isinstance(event, AcceptConnection):
            event = dataclasses.replace(event, extensions=[])
        return self._protocol.send(event)

    def events(self) -> Iterator[Any]:
        """What came. Raises LocalProtocolError, which ends the connection: too many parts."""
        for event in self._protocol.events():
            if not self._parts.take():
                raise LocalProtocolError(f"More than {self._bounds.parts_per_s:.0f} parts a second came.")
            is_text = isinstance(event, TextMessage)
            # It compares the message's length so far with this.
            self._connection.max_message_size = (
                self._bounds.text_bytes if is_text else self._bounds.binary_bytes
            )
            yield event
            self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        connection = self._connection
        while connection.connected and sum(map(len, connection.input_buffer)) > self._bounds.binary_bytes:
            time.sleep(_LOOK_S)

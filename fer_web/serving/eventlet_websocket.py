"""Repairs of eventlet's WebSocket, each for a measured reason. `harden` applies them."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fer_web.rate_limit import TokenBucket
from fer_web.serving.message_bounds import MessageBounds

MESSAGE_TOO_BIG = 1009
"""Close code of RFC 6455, section 7.4.1."""
_POLICY_VIOLATION = 1008
_TEXT = 1
"""Opcode of a text message, section 5.2; its later fragments belong to the same Message."""


def unmask(data: bytes, mask: tuple[int, ...], length: int | None = None, offset: int = 0) -> bytes:
    """XOR a WebSocket payload with its mask (RFC 6455, section 5.3).

    Args:
        data: payload bytes as received.
        mask: the frame's four mask bytes.
        length: how many bytes of `data` to take; all by default.
        offset: position of data[0] in the payload.
    Returns: `length` bytes.
    """
    payload = np.frombuffer(data, np.uint8, count=len(data) if length is None else length)
    key = np.roll(np.array(mask, np.uint8), -(offset % 4))
    whole_keys = -(-len(payload) // 4)
    return bytes(payload ^ np.tile(key, whole_keys)[: len(payload)])


def harden(websocket_module: Any, bounds: MessageBounds, give_way: Callable[[], None]) -> None:
    """Change eventlet.websocket in place.

    Args: give_way: lets other connections run.

    - Unmasking goes byte by byte through a generator there: 3.7 ms of the hub's time for 30 KB, in which
      no other client is served. One XOR over the whole takes 0.04 ms.
    - permessage-deflate is not offered: a JPEG does not deflate, and inflating costs hub time and memory.
    - A message in fragments is capped as a whole. Each fragment has a limit there but their sum has none,
      so a message that is never finished could fill the memory. Texts have a bound of their own.
    - Others get a turn after each fragment, and fragments are counted: pings and empty fragments are dealt
      with in there, and a client that has more of them at hand would hold the hub.
    - A client that sent too much is told so. The rest of its message is read and thrown away first, within
      bounds: closing a socket with unread data resets it, and the reason would be lost on the way.
    - The drafts before RFC 6455 are refused: their messages have no limit at all, and no browser of the last
      ten years speaks them.
    """
    websocket = websocket_module.RFC6455WebSocket
    websocket._apply_mask = staticmethod(unmask)
    websocket._recv_frame = _paced(websocket_module, bounds.parts_per_s, give_way)
    websocket.Message = _capped(websocket_module, bounds)
    websocket.close = _explained(websocket_module, 4 * bounds.binary_bytes)
    websocket_module.WebSocketWSGI._negotiate_permessage_deflate = lambda _self, _extensions: None

    def refuse(_self: Any, _environ: dict[str, Any]) -> None:
        raise websocket_module.BadRequest()

    websocket_module.WebSocketWSGI._handle_legacy_request = refuse


def _paced(websocket_module: Any, parts_per_s: float, give_way: Callable[[], None]) -> Any:
    original = websocket_module.RFC6455WebSocket._recv_frame
    plain_receive = getattr(original, "plain", original)

    def receive(self: Any, message: Any = None) -> Any:
        parts = self.__dict__.setdefault("parts", TokenBucket(parts_per_s, time.monotonic))
        if not parts.take():
            raise websocket_module.FailedConnectionError(
                _POLICY_VIOLATION, f"More than {parts_per_s:.0f} parts of messages a second came."
            )
        give_way()
        return plain_receive(self, message=message)

    receive.plain = plain_receive  # type: ignore[attr-defined]
    return receive


def _explained(websocket_module: Any, max_drained_bytes: int) -> Any:
    original = websocket_module.RFC6455WebSocket.close
    plain_close = getattr(original, "plain", original)

    def close(self: Any, close_data: tuple[int, str] | None = None) -> None:
        if close_data is not None and close_data[0] == MESSAGE_TOO_BIG:
            self._send_closing_frame(True, close_data)
            _drain(self.socket, max_drained_bytes)
        plain_close(self, close_data)

    close.plain = plain_close  # type: ignore[attr-defined]
    return close


def _drain(connection: Any, max_bytes: int) -> None:
    connection.settimeout(1.0)
    try:
        while max_bytes > 0 and (data := connection.recv(65536)):
            max_bytes -= len(data)
    except OSError:
        return


def _capped(websocket_module: Any, bounds: MessageBounds) -> type:
    original = getattr(websocket_module.RFC6455WebSocket.Message, "uncapped", None)
    message_class: Any = original or websocket_module.RFC6455WebSocket.Message

    class CappedMessage(message_class):  # type: ignore[misc]  # a class of a module without types
        uncapped = message_class
        total_bytes = 0

        def push(self, data: bytes, final: bool = False) -> None:
            self.total_bytes += len(data)
            is_text = self.opcode == _TEXT
            max_bytes = bounds.text_bytes if is_text else bounds.binary_bytes
            if self.total_bytes > max_bytes:
                # The client sees code and text.
                kind = "text" if is_text else "message"
                raise websocket_module.FailedConnectionError(
                    MESSAGE_TOO_BIG, f"A {kind} of more than {max_bytes} bytes came."
                )
            super().push(data, final=final)

    return CappedMessage

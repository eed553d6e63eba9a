"""What one message of a WebSocket may cost before anybody looks at it, in either serving mode."""

from dataclasses import dataclass
from typing import Final

MAX_TEXT_BYTES: Final = 4_096
"""A text message: the longest that a page of ours sends, a marker of 500 signs, has 2,100 bytes."""

PARTS_PER_S: Final = 1_000.0
"""Parts of messages, pings among them, that one connection may send: who counts messages sees none."""


@dataclass(frozen=True)
class MessageBounds:
    """The largest messages that are taken in; a longer one ends its connection before it is there.

    Attributes:
        binary_bytes: of a binary message, in all its parts.
        text_bytes: of a text message. Texts are parsed on eventlet's hub: 570 KB of lists held it for half a
            second.
        parts_per_s: of one connection, on average; twice as many after a pause.
    """

    binary_bytes: int
    text_bytes: int = MAX_TEXT_BYTES
    parts_per_s: float = PARTS_PER_S

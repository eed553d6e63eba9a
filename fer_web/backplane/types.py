"""Defines what processes tell each other, and the backplane of a process that is alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

CONNECTED = "connected"
"""Topic of a message that a backplane makes itself: what was said until now may have been missed."""


@dataclass(frozen=True)
class Message:
    """News of another process.

    Attributes:
        sender: id of the process, new at each start.
        body: what JSON can hold.
        blob: bytes that go with it, such as a picture.
    """

    topic: str
    sender: str
    body: dict[str, Any]
    blob: bytes = b""


Subscriber = Callable[[Message], None]


class Backplane(Protocol):
    """A backplane reaches the other processes. Its methods may be called in any thread."""

    process: str
    """This process's id, by which others know the sender."""

    is_shared: bool
    """Whether there may be other processes at all."""

    @property
    def is_connected(self) -> bool:
        """Whether the others can be reached now; true where there are none."""
        ...

    def publish(self, topic: str, body: dict[str, Any], blob: bytes = b"", *, key: str | None = None) -> None:
        """Tell the others, without waiting: what cannot be told in time is dropped.

        Args: key: takes the place of a message with the same key that still waits.
        """

    def subscribe(self, topic: str, take: Subscriber) -> None:
        """Call `take` with each message of a topic from now on, in the thread of `run`."""

    def run(self) -> None:
        """Hand out what comes, until `stop`; runs beside the handlers, as a task of the server."""

    def stop(self) -> None:
        """End `run`."""


class NoBackplane:
    """The backplane of a process that is alone."""

    process = ""
    is_shared = False
    is_connected = True

    def publish(self, topic: str, body: dict[str, Any], blob: bytes = b"", *, key: str | None = None) -> None:
        """Nobody is there to be told."""

    def subscribe(self, topic: str, take: Subscriber) -> None:
        """Nothing will come."""

    def run(self) -> None:
        """End at once."""

    def stop(self) -> None:
        """Nothing runs."""

"""Passes events on to those who listen over HTTP; each has a bounded queue."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fer_web.errors import TooManyJobsError
from fer_web.events.types import Fired

MAX_LISTENERS: Final = 20
"""Programs and pages that listen to events at the same time."""

MAX_LISTENERS_OF_CLIENT: Final = 4
"""The same of one client."""

MAX_UNREAD_EVENTS: Final = 50
"""Events that one listener may leave unread; then it is ended."""


class EventQueue(Protocol):
    """queue.Queue, or eventlet's of the same shape."""

    def put_nowait(self, item: Fired | None) -> None:
        """Append. Raises queue.Full."""

    def get(self, block: bool = True, timeout: float | None = None) -> Fired | None:
        """Take the first. Raises queue.Empty after `timeout` seconds."""
        ...


@dataclass(frozen=True)
class StreamSource:
    """Whose stream an event comes from. `owner` is None without a cookie; `is_local`: on this machine."""

    owner: str | None
    is_local: bool


@dataclass(eq=False)
class Listener:
    """Somebody who listens. `has_ended`: it did not read, or the server stops."""

    client: str
    may_hear: Callable[[StreamSource], bool]
    waiting: EventQueue
    has_ended: bool = False

    def next(self, timeout_s: float) -> Fired | None:
        """Wait for the next event and return it; None where none came in time, or at the end."""
        try:
            return self.waiting.get(timeout=timeout_s)
        except queue.Empty:
            return None


class EventFeed:
    """The listeners. `publish` and `join` are called by those who serve connections, `close` by anybody."""

    def __init__(self, new_queue: Callable[[int], EventQueue]) -> None:
        """Args: new_queue: an empty queue of so many items, for who serves connections."""
        self._new_queue = new_queue
        # Held for a few assignments only, never over a switch of green threads.
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    def join(self, client: str, may_hear: Callable[[StreamSource], bool]) -> Listener:
        """Listen from now on, until `leave`.

        Raises: TooManyJobsError: this client, or everybody together, listens often enough.
        """
        listener = Listener(client, may_hear, self._new_queue(MAX_UNREAD_EVENTS))
        with self._lock:
            of_client = sum(each.client == client for each in self._listeners)
            if of_client >= MAX_LISTENERS_OF_CLIENT or len(self._listeners) >= MAX_LISTENERS:
                raise TooManyJobsError(
                    f"{of_client} from here and {len(self._listeners)} in all listen to events; allowed are "
                    f"{MAX_LISTENERS_OF_CLIENT} and {MAX_LISTENERS}. End one, then try again."
                )
            self._listeners.append(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more; one that has left is left."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def publish(self, fired: Fired, source: StreamSource) -> None:
        """Pass an event on to those who may hear it; never waits."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            if listener.may_hear(source):
                try:
                    listener.waiting.put_nowait(fired)
                except queue.Full:
                    listener.has_ended = True
                    self.leave(listener)

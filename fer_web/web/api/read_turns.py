"""Lets a few long reads of the history run at a time: recordings and other people need the same processor."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fer_web.errors import OverloadedError

MAX_READS = 3
"""Long reads of everybody at the same time: of the calls that may wait for the database, most stay free."""

MAX_READS_OF_CLIENT = 2
"""Of one client: a key, this machine, or an address."""

MAX_WAITING_READS = 20
"""Reads of one client that wait for their turn; a further one is refused."""


class ReadTurns:
    """Whose turn it is. Waiting holds up no other client, and holds no place of other clients."""

    def __init__(self, new_semaphore: Callable[[int], contextlib.AbstractContextManager[Any]]) -> None:
        """Args: new_semaphore: with so many places, for those who serve connections."""
        self._new_semaphore = new_semaphore
        self._all = new_semaphore(MAX_READS)
        self._lock = threading.Lock()  # for a few assignments, never over a switch of green threads
        self._clients: dict[str, tuple[contextlib.AbstractContextManager[Any], int]] = {}

    @contextlib.contextmanager
    def taken(self, client: str) -> Iterator[None]:
        """Holds a place. Raises OverloadedError: this client has MAX_WAITING_READS that wait already."""
        own = self._enter(client)
        try:
            with own, self._all:
                yield
        finally:
            self._leave(client)

    @contextlib.contextmanager
    def of_client(self, client: str) -> Iterator[None]:
        """Holds one of this client's own places alone. Raises OverloadedError, as `taken`."""
        own = self._enter(client)
        try:
            with own:
                yield
        finally:
            self._leave(client)

    @contextlib.contextmanager
    def of_all(self) -> Iterator[None]:
        """Holds one of everybody's places, for who has one of their own already."""
        with self._all:
            yield

    def _enter(self, client: str) -> contextlib.AbstractContextManager[Any]:
        with self._lock:
            own, count = self._clients.get(client) or (self._new_semaphore(MAX_READS_OF_CLIENT), 0)
            if count >= MAX_READS_OF_CLIENT + MAX_WAITING_READS:
                raise OverloadedError(
                    f"{count} reads of yours are under way, more are not allowed. Try again when they end."
                )
            self._clients[client] = own, count + 1
            return own

    def _leave(self, client: str) -> None:
        with self._lock:
            own, count = self._clients.pop(client)
            if count > 1:
                self._clients[client] = own, count - 1


class HeldParts:
    """Parts of an answer that others make meanwhile; its client keeps a place of its own until the last one.

    So a client that reads slowly, or not at all, has no more of them than others.
    """

    def __init__(
        self,
        turns: ReadTurns,
        client: str,
        parts: Iterator[bytes],
        call: Callable[..., bytes | None],
    ) -> None:
        """Wait for a place, and for the first part, which may raise what the answer should be instead.

        Args: parts: a generator, each of whose parts blocks. call: waits without holding up other clients.
        """
        self._turns, self._parts, self._call = turns, parts, call
        self._held = contextlib.ExitStack()
        self._held.enter_context(turns.of_client(client))
        self._held.callback(parts.close)  # type: ignore[attr-defined]  # generators have it
        try:
            self._first = [self._take()]
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        part = self._first.pop() if self._first else self._take()
        if part is None:
            self.close()
            raise StopIteration
        return part

    def close(self) -> None:
        """Give the place back, wherever the answer has got to; the server calls this at its end."""
        self._held.close()

    def __del__(self) -> None:
        self.close()

    def _take(self) -> bytes | None:
        with self._turns.of_all():
            return self._call(next, self._parts, None)

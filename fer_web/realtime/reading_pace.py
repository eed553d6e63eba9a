"""When a connection is read on: those of one visitor share a budget, and one that was refused waits.

What is not read costs nothing: it stays with its sender, whose network connection fills.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fer_web.rate_limit import TokenBucket

RETRY_S: Final = 2.0
"""Who found no place for a stream is told to wait so long, and nothing more of it is read meanwhile."""

LOOK_S: Final = 0.25
"""A connection that waits and was ended is let go within this time."""

PRESENT_S: Final = 2.0
"""Who sent something within this time shares a budget with what comes of them at other processes."""

_FORGOTTEN_S: Final = 60.0
"""A visitor of whom nothing came for this long owes nothing."""

_PERSON, _HELD_UNTIL_S = "pace_person", "pace_held_until_s"


@dataclass
class _Share:
    """Of one visitor. refused_until_s: its further connections wait as long as the one that was refused."""

    packets: TokenBucket
    data: TokenBucket
    seen_s: float
    spent_s: float = -math.inf
    refused_until_s: float = 0.0


class ReadingPace:
    """Keeps what it needs of a connection in its attributes. Each method may be called in any thread.

    Attributes:
        processes_with: how many other processes hear of a visitor now: each has a part of the budget.
    """

    def __init__(
        self, packets_per_s: float, bytes_per_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Args: packets_per_s, bytes_per_s: of all connections of one visitor. clock: never set back."""
        self.processes_with: Callable[[str], int] = lambda _person: 0
        self._packets_per_s = packets_per_s
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}

    def join(self, connection: Any, person: str) -> None:
        """An Engine.IO connection is one of this visitor's."""
        connection.__dict__[_PERSON] = person
        with self._lock:
            since_s = self._clock() - _FORGOTTEN_S
            self._shares = {name: each for name, each in self._shares.items() if each.seen_s >= since_s}
            refused_until_s = self._share(person).refused_until_s
        self._hold(connection, refused_until_s)

    def refuse(self, connection: Any) -> None:
        """A connection found no place: nothing is read of it for RETRY_S."""
        until_s = self._clock() + RETRY_S
        self._hold(connection, until_s)
        if (person := connection.__dict__.get(_PERSON)) is not None:
            with self._lock:
                self._share(person).refused_until_s = until_s

    def spend(self, connection: Any, size: int, packets: int = 1) -> None:
        """So many bytes came, in so many packets; of a connection that is gone (None), nobody owes them."""
        if connection is not None and (person := connection.__dict__.get(_PERSON)) is not None:
            parts = 1 + self.processes_with(person)
            with self._lock:
                share = self._share(person)
                share.packets.owe(packets * parts)
                share.data.owe(size * parts)
                share.spent_s = share.seen_s

    def present(self) -> dict[str, int]:
        """Visitors of whom something came in the last PRESENT_S, each with 1."""
        with self._lock:
            since_s = self._clock() - PRESENT_S
            return {person: 1 for person, each in self._shares.items() if each.spent_s >= since_s}

    def wait_s(self, connection: Any) -> float:
        """How long nothing is read of this connection."""
        wait_s = connection.__dict__.get(_HELD_UNTIL_S, 0.0) - self._clock()
        if (person := connection.__dict__.get(_PERSON)) is not None:
            with self._lock:
                share = self._share(person)
                wait_s = max(wait_s, share.packets.owed_s(), share.data.owed_s())
        return float(max(0.0, wait_s))

    def wait(self, connection: Any, sleep: Callable[[float], object]) -> None:
        """Return when more of this connection may be read, or when it was ended."""
        while not connection.closed and (left_s := self.wait_s(connection)) > 0:
            sleep(min(left_s, LOOK_S))

    def _hold(self, connection: Any, until_s: float) -> None:
        connection.__dict__[_HELD_UNTIL_S] = max(until_s, connection.__dict__.get(_HELD_UNTIL_S, 0.0))

    def _share(self, person: str) -> _Share:
        now_s = self._clock()
        share = self._shares.get(person)
        if share is None:
            packets, data = (
                TokenBucket(rate, self._clock) for rate in (self._packets_per_s, self._bytes_per_s)
            )
            share = self._shares[person] = _Share(packets, data, now_s)
        share.seen_s = now_s
        return share

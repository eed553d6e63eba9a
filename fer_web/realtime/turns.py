"""Whose frame is next: people take turns by the time that their frames took. Pure; its user locks it.

The method is start-time fair queueing (Goyal, Vin and Cheng, 1996), once for people and once for the streams
of each.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final, Generic, TypeVar

from fer_web.realtime.streams import Stream

RECENT_S: Final = 1.0
"""Who had a frame analysed within this time counts as present."""

_K = TypeVar("_K")


class _Shares(Generic[_K]):
    """Time that each has used; who was away gets no credit for it."""

    def __init__(self) -> None:
        self._used_s: dict[_K, float] = {}
        self._now_s = 0.0

    def enter(self, key: _K) -> None:
        self._used_s[key] = max(self._used_s.get(key, 0.0), self._now_s)

    def first(self, keys: Iterable[_K]) -> _K:
        key = min(keys, key=lambda each: self._used_s[each])
        self._now_s = max(self._now_s, self._used_s[key])
        return key

    def charge(self, key: _K, seconds: float) -> None:
        self._used_s[key] = self._used_s.get(key, self._now_s) + seconds

    def keep(self, keys: Collection[_K], *, or_in_debt: bool = False) -> None:
        """Forget all but these, and but those who used more than their part so far."""
        self._used_s = {
            key: used_s
            for key, used_s in self._used_s.items()
            if key in keys or (or_in_debt and used_s > self._now_s)
        }


class Turns:
    """The streams that have a frame waiting.

    With several workers, nobody has all of them while others are there: a short frame then need not wait for
    a long one of somebody else.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: clock: seconds, never set back."""
        self._workers = workers
        self._clock = clock
        self._people: _Shares[str] = _Shares()
        self._streams: dict[str, _Shares[int]] = {}
        self._ready: dict[str, dict[int, Stream]] = {}
        self._running: Counter[str] = Counter()
        self._seen_s: dict[str, float] = {}
        self._unmet = 0

    def put(self, stream: Stream) -> None:
        """A stream has a frame; it must not be in here, nor be analysed now."""
        person = stream.sender.person
        if not self._running[person] and not self._ready.get(person):
            self._people.enter(person)
        self._streams.setdefault(person, _Shares()).enter(id(stream))
        self._ready.setdefault(person, {})[id(stream)] = stream
        self._seen_s[person] = self._clock()

    def take(self) -> Stream | None:
        """The stream whose turn it is; None where those who wait have as many workers as they may."""
        may = [person for person in self._ready if self._running[person] < self._limit(person)]
        if not may:
            self._unmet += 1
            return None
        person = self._people.first(may)
        waiting = self._ready[person]
        stream = waiting.pop(self._streams[person].first(waiting))
        if not waiting:
            del self._ready[person]
        self._running[person] += 1
        return stream

    def done(self, stream: Stream, seconds: float) -> int:
        """A stream's frame took so long; returns how many workers found nothing and may look again."""
        person = stream.sender.person
        self._people.charge(person, seconds)
        self._streams[person].charge(id(stream), seconds)
        self._streams[person].keep(self._ready.get(person, ()), or_in_debt=True)
        self._running[person] -= 1
        self._seen_s[person] = self._clock()
        self._forget()
        unmet, self._unmet = self._unmet, 0
        return unmet

    def _limit(self, person: str) -> int:
        since_s = self._clock() - RECENT_S
        others = any(seen_s >= since_s for each, seen_s in self._seen_s.items() if each != person)
        return max(1, self._workers - 1) if others else self._workers

    def _forget(self) -> None:
        since_s = self._clock() - RECENT_S
        self._running += Counter()  # keeps those above zero
        self._seen_s = {
            person: seen_s
            for person, seen_s in self._seen_s.items()
            if seen_s >= since_s or person in self._ready or self._running[person]
        }
        self._people.keep(self._seen_s)
        self._streams = {person: each for person, each in self._streams.items() if person in self._seen_s}

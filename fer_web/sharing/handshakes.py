"""Bounds how often others may begin a connection: it costs before anybody can be asked for a link."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fer_web.sharing.guessing import group_of

BURST = 60
"""A classroom behind one address may connect at once, and again after the server was away."""
PER_S = 5.0
TOTAL_BURST = 600
TOTAL_PER_S = 100.0
MAX_GROUPS = 10_000


class HandshakeLimit:
    """BURST beginnings for one address, then PER_S a second; and TOTAL ones for all together. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: clock: seconds, never set back."""
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, and when
        self._total = (float(TOTAL_BURST), clock())

    def take(self, address: str | None) -> bool:
        """Count one beginning; False where it is one too many."""
        group, now_s = group_of(address), self._clock()
        with self._lock:
            own = _refilled(self._buckets.get(group, (float(BURST), now_s)), now_s, BURST, PER_S)
            total = _refilled(self._total, now_s, TOTAL_BURST, TOTAL_PER_S)
            is_allowed = own >= 1 and total >= 1
            self._buckets[group] = (own - is_allowed, now_s)
            self._buckets.move_to_end(group)
            self._total = (total - is_allowed, now_s)
            if len(self._buckets) > MAX_GROUPS:
                self._buckets.popitem(last=False)
        return is_allowed


def _refilled(bucket: tuple[float, float], now_s: float, most: float, per_s: float) -> float:
    tokens, at_s = bucket
    return min(most, tokens + per_s * (now_s - at_s))

"""Bounds how often others may begin a connection: it costs before anybody can be asked for a link."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fer_web.rate_limit import TokenBucket
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
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()
        self._total = TokenBucket(TOTAL_PER_S, clock, TOTAL_BURST)

    def take(self, address: str | None) -> bool:
        """Count one beginning; False where it is one too many."""
        group = group_of(address)
        with self._lock:
            own = self._buckets.setdefault(group, TokenBucket(PER_S, self._clock, BURST))
            self._buckets.move_to_end(group)
            if len(self._buckets) > MAX_GROUPS:
                self._buckets.popitem(last=False)
            return self._total.has_token() and own.take() and self._total.take()

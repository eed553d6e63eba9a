"""How fast one client may send."""

from collections.abc import Callable


class TokenBucket:
    """Allows `rate_per_s` on average and a burst of two seconds' worth."""

    def __init__(self, rate_per_s: float, clock: Callable[[], float]) -> None:
        """Args: clock: monotonic seconds."""
        self._rate_per_s = rate_per_s
        self._capacity = 2 * rate_per_s
        self._clock = clock
        self._tokens = self._capacity
        self._updated_s = clock()

    def take(self) -> bool:
        """Spend one token; False when there is none."""
        now_s = self._clock()
        self._tokens = min(self._capacity, self._tokens + (now_s - self._updated_s) * self._rate_per_s)
        self._updated_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

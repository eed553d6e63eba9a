"""Limits how often something may happen."""

from collections.abc import Callable


class TokenBucket:
    """Allows `rate_per_s` on average, and a burst after a pause."""

    def __init__(self, rate_per_s: float, clock: Callable[[], float], burst: float | None = None) -> None:
        """Args:
        clock: seconds, never set back.
        burst: how many may come at once; two seconds' worth by default.
        """
        self._rate_per_s = rate_per_s
        self._burst = 2 * rate_per_s if burst is None else burst
        self._clock = clock
        self._tokens = self._burst
        self._updated_s = clock()

    def has_token(self, amount: float = 1) -> bool:
        """Tell whether `take` would give so much now."""
        now_s = self._clock()
        self._tokens = min(self._burst, self._tokens + (now_s - self._updated_s) * self._rate_per_s)
        self._updated_s = now_s
        return self._tokens >= amount

    def take(self, amount: float = 1) -> bool:
        """Spend one token, or more of them at once; False, and nothing is spent, where there are too few."""
        if not self.has_token(amount):
            return False
        self._tokens -= amount
        return True

    def owe(self, amount: float) -> None:
        """Spend so much even where there is less: the rest is owed."""
        self.has_token(amount)
        self._tokens -= amount

    def owed_s(self) -> float:
        """Seconds until nothing is owed."""
        self.has_token()
        return max(0.0, -self._tokens / self._rate_per_s)

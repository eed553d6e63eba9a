"""Tells whether the server can do its work: whoever sends it requests asks before they do."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fer_web.errors import FerWebError

STALE_S: Final = 15.0
"""A check without a good answer for so long has failed, whether it says so or hangs."""

CHECK_S: Final = 5.0
"""Seconds between two rounds of the checks."""


@dataclass(frozen=True)
class Condition:
    """What one check found last."""

    is_ok: bool
    text: str


class Readiness:
    """Checks that may block run beside; asking for their last result does not."""

    def __init__(
        self,
        checks: Mapping[str, Callable[[], str]],
        is_draining: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        missing: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """Args:
        missing: names of what is away now, and without which the server works on; does not block.
        checks: each returns what it found, or raises FerWebError or OSError; may block.
        is_draining: whether the server ends; does not block.
        clock: monotonic seconds.
        """
        self.missing = missing
        self._checks = checks
        self._is_draining = is_draining
        self._clock = clock
        self._found = {name: Condition(False, "not checked yet") for name in checks}
        self._good_s = dict.fromkeys(checks, clock())
        self._checking = {name: threading.Lock() for name in checks}

    @property
    def names(self) -> tuple[str, ...]:
        """Of the checks."""
        return tuple(self._checks)

    def check(self, name: str) -> None:
        """Make one check; blocks. One that still runs is not begun again."""
        if not self._checking[name].acquire(blocking=False):
            return
        try:
            self._found[name] = Condition(True, self._checks[name]())
            self._good_s[name] = self._clock()
        except (FerWebError, OSError) as exc:
            self._found[name] = Condition(False, str(exc))
        finally:
            self._checking[name].release()

    def conditions(self) -> dict[str, Condition]:
        """What was found last; does not block."""
        found = {name: self._current(name) for name in self._checks}
        is_draining = self._is_draining()
        found["draining"] = Condition(not is_draining, "the server ends" if is_draining else "it serves")
        return found

    def _current(self, name: str) -> Condition:
        age_s = self._clock() - self._good_s[name]
        if self._found[name].is_ok and age_s > STALE_S:
            return Condition(False, f"no answer for {age_s:.0f} s")
        return self._found[name]

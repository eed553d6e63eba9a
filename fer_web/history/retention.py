"""Removes what is older than it may be: when the server starts, and while it runs."""

import datetime
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

from fer_web.errors import DatabaseError

_log = logging.getLogger(__name__)

INTERVAL_S = 600.0
"""Old sessions are removed daily at least; those that people deleted go as soon as undo ends."""

STOP_TIMEOUT_S = 3.0

LOOK_S = 10.0
"""A process that does not lead looks so often whether it does by now."""

_JUMP_S = 86400.0


class PurgedStore(Protocol):
    """This store is kept tidy."""

    def purge(self, older_than: datetime.datetime | None = None) -> int:
        """Remove what began before, and what was deleted a while ago; returns how many."""
        ...


def oldest_kept(retention_days: int, now: datetime.datetime) -> datetime.datetime | None:
    """Return the time before which sessions go; None where all is kept (retention_days 0)."""
    return now - datetime.timedelta(days=retention_days) if retention_days else None


class Retention:
    """A thread that purges at its start and every INTERVAL_S until it is stopped.

    A clock that jumps ahead makes everything look old. It is believed after a day; until then, only what
    people deleted is removed.
    """

    def __init__(
        self,
        store: PurgedStore,
        retention_days: int,
        interval_s: float = INTERVAL_S,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        """Args:
        wall_clock: seconds since 1970; clock: monotonic seconds.
        leads: whether this process does the chores of all; it may block.
        """
        self._leads = leads
        self._store = store
        self._retention_days = retention_days
        self._interval_s = interval_s
        self._wall_clock = wall_clock
        self._clock = clock
        self._seen_s = (wall_clock(), clock())
        self._believed_at_s = -math.inf
        self._must_end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history-retention", daemon=True)

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; gives up after STOP_TIMEOUT_S. It may be called when it was never started."""
        self._must_end.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        wait_s = 0.0
        while not self._must_end.wait(wait_s):
            wait_s = min(LOOK_S, self._interval_s)
            if self._leads():
                self.purge()
                wait_s = self._interval_s

    def purge(self) -> None:
        """One round. Errors are logged: the next round tries again."""
        try:
            removed = self._store.purge(self._oldest_kept())
        except DatabaseError as exc:
            _log.warning("Old sessions could not be removed: %s Next try in %.0f s.", exc, self._interval_s)
        except Exception:
            _log.exception("Old sessions could not be removed")
        else:
            if removed:
                _log.info("%d sessions were removed: they were deleted, or old", removed)

    def _oldest_kept(self) -> datetime.datetime | None:
        wall_s, now_s = self._wall_clock(), self._clock()
        passed_s, self._seen_s = (wall_s - self._seen_s[0], now_s - self._seen_s[1]), (wall_s, now_s)
        if passed_s[0] - passed_s[1] > _JUMP_S:
            _log.warning("The clock jumped ahead by %.1f days", (passed_s[0] - passed_s[1]) / 86400)
            self._believed_at_s = now_s + _JUMP_S
        if now_s < self._believed_at_s:
            return None
        return oldest_kept(self._retention_days, datetime.datetime.fromtimestamp(wall_s, datetime.UTC))

"""Removes what is older than it may be: when the server starts, and while it runs."""

import datetime
import logging
import threading
from typing import Protocol

from fer_web.errors import DatabaseError

_log = logging.getLogger(__name__)

INTERVAL_S = 600.0
"""Old sessions are removed daily at least; those that people deleted go as soon as undo ends."""

STOP_TIMEOUT_S = 3.0


class PurgedStore(Protocol):
    """What is kept tidy."""

    def purge(self, older_than: datetime.datetime | None = None) -> int:
        """Remove what began before, and what was deleted a while ago; returns how many."""
        ...


def oldest_kept(retention_days: int, now: datetime.datetime) -> datetime.datetime | None:
    """What began before this is removed; None where all is kept (retention_days 0)."""
    return now - datetime.timedelta(days=retention_days) if retention_days else None


class Retention:
    """A thread that purges at its start and every INTERVAL_S until it is stopped."""

    def __init__(self, store: PurgedStore, retention_days: int, interval_s: float = INTERVAL_S) -> None:
        self._store = store
        self._retention_days = retention_days
        self._interval_s = interval_s
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
        self._purge()
        while not self._must_end.wait(self._interval_s):
            self._purge()

    def _purge(self) -> None:
        try:
            removed = self._store.purge(
                oldest_kept(self._retention_days, datetime.datetime.now(datetime.UTC))
            )
        except DatabaseError as exc:
            _log.warning(
                "Old sessions could not be removed: %s It is tried again in %.0f s.", exc, self._interval_s
            )
        except Exception:
            _log.exception("Old sessions could not be removed")
        else:
            if removed:
                _log.info(
                    "%d sessions were removed: older than %d days, or deleted", removed, self._retention_days
                )

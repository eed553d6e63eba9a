"""Room that is kept on the disk of SQLite's database, so that a full disk can be relieved by deleting."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine

from fer_web.errors import DatabaseError, DatabaseFullError
from fer_web.storage.database import forget_deleted, own_errors

_T = TypeVar("_T")

RESERVE_BYTES = 100_000_000
"""With less room on the disk, nothing new is recorded or imported; people can still read and delete."""

BALLAST_BYTES = 16_000_000
"""A file of this size is given up where even deleting finds no room, because others filled the disk."""

BALLAST_FILE = "room-for-deleting"
_LOG_BYTES = 16_000_000
_CHECK_S = 1.0


class DiskReserve:
    """Looks at the room for a database. PostgreSQL looks after its own disk: there this does nothing."""

    def __init__(self, engine: Engine, free_bytes: Callable[[Path], int] | None = None) -> None:
        """Args: free_bytes: of the disk of a folder."""
        self._engine = engine
        self._folder = None if engine.dialect.name != "sqlite" else Path(str(engine.url.database)).parent
        self._free_bytes = free_bytes or (lambda folder: shutil.disk_usage(folder).free)
        self._checked_s = float("-inf")

    def check(self) -> None:
        """Look whether something new may be stored. Raises DatabaseFullError."""
        if self._folder is None or time.monotonic() - self._checked_s < _CHECK_S:
            return
        free = self._free_bytes(self._folder)
        if free < RESERVE_BYTES and not (free > _LOG_BYTES and self._reusable_bytes() > _LOG_BYTES):
            raise DatabaseFullError(
                f"The server's disk has {free / 1e6:.0f} MB left; {RESERVE_BYTES / 1e6:.0f} MB are kept for "
                "deleting. Delete sessions, or free some space; what was recorded is safe."
            )
        self._checked_s = time.monotonic()

    def persist(self, transaction: Callable[[], _T]) -> _T:
        """Call a transaction that removes something; where the disk is full, give up the ballast for it.

        Raises: DatabaseError: as the transaction.
        """
        try:
            return transaction()
        except DatabaseError:
            if self._folder is None or self._free_bytes(self._folder) > _LOG_BYTES or not self._drop():
                raise
            forget_deleted(self._engine)
            return transaction()

    def restock(self) -> None:
        """Make the ballast where there is room for it."""
        if self._folder is None or self._free_bytes(self._folder) < RESERVE_BYTES + BALLAST_BYTES:
            return
        path = self._folder / BALLAST_FILE
        with contextlib.suppress(OSError):
            if path.exists() and path.stat().st_size == BALLAST_BYTES:
                return
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:  # written, not only made long: it must take up blocks
                for _ in range(BALLAST_BYTES // 1_000_000):
                    file.write(b"\0" * 1_000_000)

    def _drop(self) -> bool:
        assert self._folder is not None  # of SQLite
        try:
            os.unlink(self._folder / BALLAST_FILE)
        except OSError:
            return False
        return True

    def _reusable_bytes(self) -> int:
        """What was deleted in the database's file, and is written to again before the file grows."""
        with own_errors(), self._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
            size = connection.exec_driver_sql("PRAGMA page_size").scalar()
        return int(pages or 0) * int(size or 0)

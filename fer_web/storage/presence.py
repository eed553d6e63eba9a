"""Tells whether another server shares the database: what runs may be its, and no crash left it.

Each server holds a shared lock for as long as it lives; the system takes it away however the process ends.
Who gets the exclusive lock is alone.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from fer_web.storage.database import LOCK_TIMEOUT_S, is_locked, own_errors

SERVERS_FILE = "servers.sqlite3"
_POSTGRES_LOCK = 0x6665725F737276
"""Any number of our own: "fer_srv"."""


class Presence(Protocol):
    """This server's lock on a database."""

    def entering(self) -> contextlib.AbstractContextManager[bool]:
        """Yields whether no other server is there, and keeps others out for so long; then stays.

        Raises: DatabaseError.
        """
        ...

    def leave(self) -> None:
        """Be there no more."""


def presence_of(engine: Engine) -> Presence:
    """The kind that fits the database."""
    if engine.dialect.name == "sqlite":
        return SqlitePresence(Path(str(engine.url.database)).with_name(SERVERS_FILE))
    return PostgresPresence(engine)


class SqlitePresence:
    """Locks an empty database beside the history's: SQLite knows how to on every system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def entering(self) -> Iterator[bool]:
        """See Presence."""
        self.leave()
        with own_errors():
            self._connection = connection = self._open()
            is_alone = _locks(connection)
        yield is_alone
        with own_errors():
            if is_alone:
                connection.execute("ROLLBACK")
            connection.execute(f"PRAGMA busy_timeout={LOCK_TIMEOUT_S * 1000:.0f}")
            connection.execute("BEGIN")
            connection.execute("SELECT * FROM sqlite_master").close()  # the first read takes the lock

    def leave(self) -> None:
        """See Presence."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        return sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)


def _locks(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as exc:
        if not is_locked(exc):
            raise
        return False
    return True


class PostgresPresence:
    """Holds an advisory lock on a connection of its own.

    Where that connection breaks, another server's start takes our sessions for left behind; their next batch
    sets that right.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    @contextlib.contextmanager
    def entering(self) -> Iterator[bool]:
        """See Presence."""
        self.leave()
        with own_errors():
            self._connection = connection = self._open()
            is_alone = _calls(connection, "pg_try_advisory_lock")
        yield is_alone
        with own_errors():
            _calls(connection, "pg_advisory_lock_shared")
            if is_alone:
                _calls(connection, "pg_advisory_unlock")

    def leave(self) -> None:
        """See Presence."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # the pool would keep it open, and the lock with it
        return connection


def _calls(connection: Connection, function: str) -> bool:
    return bool(connection.execute(text(f"SELECT {function}(:lock)"), {"lock": _POSTGRES_LOCK}).scalar())

"""Which of several processes does what one of them should: remove what is old, forget what has ended."""

import threading
from typing import Protocol

from sqlalchemy import Connection, Engine, text

from fer_web.errors import DatabaseError
from fer_web.storage.database import own_errors

_POSTGRES_LOCK = 0x6665725F6C6472
"""Any number of our own: "fer_ldr"."""

_LEAVE_S = 1.0

_NOTICED = ("SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3")
"""PostgreSQL takes the lock of a machine that is gone after 25 s; by its own settings, after two hours."""


class Leader(Protocol):
    """Tells one process that it leads. Its methods may be called in any thread."""

    def leads(self) -> bool:
        """Whether this process leads, from now on where none did; blocks. False while nobody can tell."""
        ...

    def leave(self) -> None:
        """Let another process lead."""


def leader_of(engine: Engine) -> Leader:
    """The kind that fits the database."""
    return AloneLeader() if engine.dialect.name == "sqlite" else PostgresLeader(engine)


class AloneLeader:
    """SQLite has one process; where two share it all the same, a chore that is done twice harms nothing."""

    def leads(self) -> bool:
        """Always."""
        return True

    def leave(self) -> None:
        """Nobody waits."""


class PostgresLeader:
    """Holds an advisory lock on a connection of its own: PostgreSQL gives it on when the process ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def leads(self) -> bool:
        """See Leader."""
        with self._lock:
            try:
                return self._is_kept() or self._gets()
            except DatabaseError:
                self._let_go()
                return False

    def leave(self) -> None:
        """See Leader."""
        # A database that stands still holds up no end: the lock goes with the process.
        if self._lock.acquire(timeout=_LEAVE_S):
            self._let_go()
            self._lock.release()

    def _is_kept(self) -> bool:
        if self._connection is None:
            return False
        try:
            with own_errors():
                self._connection.execute(text("SELECT 1"))
        except DatabaseError:
            self._let_go()  # cut meanwhile, and the lock with it
            return False
        return True

    def _gets(self) -> bool:
        with own_errors():
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection.detach()  # the pool would keep it open, and the lock with it
            for statement in _NOTICED:
                self._connection.execute(text(statement))
            lock = {"lock": _POSTGRES_LOCK}
            is_ours = self._connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), lock).scalar()
        if not is_ours:
            self._let_go()
        return bool(is_ours)

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

"""Opens the database of the history: SQLite in the data folder, or PostgreSQL by its address."""

import contextlib
import logging
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from fer_web.errors import DatabaseError, DatabaseFullError, DatabaseLockedError, InternalError, SettingsError
from fer_web.settings import HOMELESS_DATA_DIR

_log = logging.getLogger(__name__)

SQLITE_FILE = "history.sqlite3"

LOCK_TIMEOUT_S = 3.0
"""A statement waits for another program's lock for this long."""

STATEMENT_TIMEOUT_S = 15.0
"""PostgreSQL gives up a statement after this long; a migration may take MIGRATION_TIMEOUT_S."""

ANSWER_TIMEOUT_S = 20.0
"""PostgreSQL that says nothing for this long is taken for gone: one that stands still ends no statement."""

MIGRATION_TIMEOUT_S = 600.0
"""The same for a step that changes the tables."""

_IDLE_TIMEOUT_S = 60.0
"""PostgreSQL ends a transaction of ours in which nothing happens: its locks would hold up others."""

_SQLITE_FULL = (sqlite3.SQLITE_FULL,)
_SQLITE_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_POSTGRES_FULL = ("53100", "53200")
_POSTGRES_LOCKED = ("55P03", "40001", "40P01")
_POSTGRES_SLOW = ("57014",)


def open_engine(database_url: str, data_dir: Path) -> Engine:
    """An engine for the database; nothing is read or written yet but the folder is made.

    Its connections may be used in any thread, one thread at a time.

    Raises: SettingsError: the address is none, or the folder cannot be made.
    """
    return _postgres_engine(database_url) if database_url else _sqlite_engine(data_dir)


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads. Raises DatabaseError and what it is the base of."""
    with own_errors(), engine.begin() as connection:
        yield connection


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: all of it or nothing. Raises DatabaseError and what it is the base of."""
    with own_errors(), engine.execution_options(is_writing=True).begin() as connection:
        yield connection


def allow_slow_statements(connection: Connection) -> None:
    """Let this transaction's statements take MIGRATION_TIMEOUT_S each."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(MIGRATION_TIMEOUT_S * 1000)}")
        connection.connection.driver_connection.allow(MIGRATION_TIMEOUT_S)  # type: ignore[union-attr]


def forget_deleted(engine: Engine) -> bool:
    """Take what was deleted out of SQLite's log too, where old pages would stay until it is used again.

    Returns whether that is done: where a reader is in the way, try again later. On PostgreSQL, its own
    autovacuum does it.
    """
    if engine.dialect.name != "sqlite":
        return True
    try:
        with own_errors(), contextlib.closing(engine.raw_connection()) as connection:
            is_busy, *_ = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except DatabaseError as exc:
        _log.warning("What was deleted is still in the database's log: %s The next purge tries again.", exc)
        return False
    return not is_busy


def _sqlite_engine(data_dir: Path) -> Engine:
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if data_dir == HOMELESS_DATA_DIR:
            _check_private(data_dir)
        # For its user alone, whatever the folder is for; SQLite gives its other files the same mode.
        os.close(os.open(data_dir / SQLITE_FILE, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise SettingsError(
            f"The data folder {data_dir} cannot be made or written to ({exc.strerror}). "
            "Take another one: --data-dir FOLDER."
        ) from exc
    url = URL.create("sqlite", database=str(data_dir / SQLITE_FILE))
    engine = create_engine(
        url,
        connect_args={"timeout": LOCK_TIMEOUT_S},
        pool_size=4,
        max_overflow=12,
        pool_timeout=10,
        hide_parameters=True,  # errors are logged, and names and notes are nobody's business
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _check_private(folder: Path) -> None:
    """Raises SettingsError: somebody else made this folder, or may write to it."""
    found = folder.lstat()
    if os.name == "posix" and (
        not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077
    ):
        raise SettingsError(
            f"This user has no home folder, and {folder} belongs to somebody else or is open to others. "
            "Name a folder: --data-dir FOLDER."
        )
    _log.warning("This user has no home folder: the history is in %s. --data-dir names another one.", folder)


def _postgres_engine(database_url: str) -> Engine:
    url = _postgres_url(database_url)
    timeouts_s = {
        "lock_timeout": LOCK_TIMEOUT_S,
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "idle_in_transaction_session_timeout": _IDLE_TIMEOUT_S,
    }
    options = " ".join(f"-c {name}={int(value * 1000)}" for name, value in timeouts_s.items())
    engine = create_engine(
        url,
        connect_args={"options": f"{options} -c timezone=UTC", **_NETWORK},
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=12,
        pool_timeout=10,
        hide_parameters=True,
    )
    event.listen(engine, "do_connect", _connect_postgres)
    return engine


_NETWORK = {
    "connect_timeout": 5,
    # A machine that is gone is noticed while we wait for it (keepalives), or send (TCP_USER_TIMEOUT).
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def _connect_postgres(_dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
    from fer_web.storage.patient_postgres import PatientConnection

    return PatientConnection.connect(*arguments, **options)


def _postgres_url(database_url: str) -> URL:
    # The text is never repeated: it may hold a password.
    wanted = "FER_DATABASE_URL must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or empty for SQLite"
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError) as exc:
        raise SettingsError(f"{wanted}; what came is no address.") from exc
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SettingsError(f"{wanted}; {url.drivername!r:.40} came.")
    return url.set(drivername="postgresql+psycopg")


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's own BEGIN comes late and not before DDL: _begin_sqlite does it instead.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        # Each commit reaches the disk, so that `saved` is true after a power cut too. It costs one fsync for
        # each batch, two a second, in the writer's thread. NORMAL would outlive a killed process only.
        "synchronous=FULL",
        "foreign_keys=ON",
        # Deleted is deleted: the space is overwritten.
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could not wait for a lock.
    is_writing = connection.get_execution_options().get("is_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


@contextlib.contextmanager
def own_errors() -> Iterator[None]:
    """Raises DatabaseError and what it is the base of, in the place of the libraries' own errors.

    Raises: InternalError: values that do not fit into the tables; another try does not mend that.
    """
    try:
        yield
    except (IntegrityError, DataError) as exc:
        # Without its cause: PostgreSQL repeats the whole row, and names and notes are nobody's business.
        _log.error("The history's database refused a value: %s", _reason(exc.orig), stack_info=True)
        raise InternalError("The history's database refused a value. The server's log says why.") from None
    except DBAPIError as exc:
        raise _own_error(exc.orig) from exc
    except sqlite3.Error as exc:  # of a connection that is used without SQLAlchemy
        raise _own_error(exc) from exc
    except (PoolTimeoutError, SQLAlchemyError) as exc:
        raise DatabaseError(f"The history's database does not answer ({type(exc).__name__}).") from exc


def is_locked(error: sqlite3.Error) -> bool:
    """Tell whether another connection's lock was in the way."""
    return _sqlite_code(error) in _SQLITE_LOCKED


def _sqlite_code(error: object) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF  # the upper bits say more than we need


def _own_error(cause: BaseException | None) -> DatabaseError:
    code = _sqlite_code(cause)
    state = getattr(cause, "sqlstate", None)
    if code in _SQLITE_FULL or state in _POSTGRES_FULL:
        return DatabaseFullError(
            "No space is left for the history. What was recorded is safe; free some space and go on."
        )
    if code in _SQLITE_LOCKED or state in _POSTGRES_LOCKED:
        return DatabaseLockedError("Another program holds the history's database. Close it, or try again.")
    if state in _POSTGRES_SLOW:
        return DatabaseError("The history's database took too long. Try again later.")
    return DatabaseError(
        "The history's database cannot be used now.",
        f"The reason: {_reason(cause)}. The database is that of FER_DATABASE_URL, or in --data-dir.",
    )


def _reason(cause: BaseException | None) -> str:
    return str(cause).splitlines()[0][:200] if str(cause) else type(cause).__name__

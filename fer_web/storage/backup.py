"""Copies of the history's database: for keeping, and before the tables change. All of it blocks."""

import contextlib
import datetime
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import URL, Engine

from fer_web.errors import DatabaseFullError, InvalidValueError, SetupError
from fer_web.storage.database import own_errors

COPIES_FOLDER = "backups"
"""In the data folder: copies that were made before something replaced or changed the database."""

COPY_KEPT_S = 7 * 86400.0
"""Such a copy is removed after this long: it holds what people have deleted since."""

MAX_COPIES = 5
"""Of them, the newest are kept."""

_REQUIRED_TABLES = {"alembic_version", "sessions", "samples"}


def backup(engine: Engine, target: Path) -> int:
    """Write a copy of the whole database, as it is at one moment; whoever records goes on meanwhile.

    Args: target: a file that is not there yet; complete or not at all, for its user alone.
    Returns: its bytes.
    Raises: InvalidValueError: it is there. DatabaseError, SetupError, OSError: it cannot be made.
    """
    if target.exists():
        raise InvalidValueError(f"{target} exists. Name another file with --out.")
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".backup-")
    os.close(handle)
    try:
        if engine.dialect.name == "sqlite":
            _copy_sqlite(_file_of(engine), Path(draft))
        else:
            _run_tool("pg_dump", engine.url, "--format=custom", "--no-owner", f"--file={draft}")
        _to_disk(Path(draft))
        os.replace(draft, target)
    finally:
        Path(draft).unlink(missing_ok=True)
    return target.stat().st_size


def restore(engine: Engine, source: Path, newest_version: str) -> Path | None:
    """Replace the database by a copy that `backup` made; to be called while no server works on it.

    Args: newest_version: of the tables, that this program knows.
    Returns: a copy of what was there before, None where nothing was.
    Raises: InvalidValueError: the file is none. DatabaseError, SetupError, OSError: it cannot be used.
    """
    if engine.dialect.name == "sqlite":
        return _restore_sqlite(engine, source, newest_version)
    with source.open("rb") as file:
        if file.read(5) != b"PGDMP":
            raise InvalidValueError(
                f"{source} is no backup of PostgreSQL. Take one that history backup made."
            )
    _run_tool(
        "pg_restore", engine.url, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(source)
    )
    return None


def copy_before(engine: Engine, reason: str) -> Path | None:
    """Save a copy in COPIES_FOLDER before something changes the database; None on PostgreSQL.

    Its own transactions undo a change that fails; docs/operating.md says how to copy it.

    Raises: DatabaseFullError: there is no room for it.
    """
    if engine.dialect.name != "sqlite":
        return None
    source = _file_of(engine)
    folder = source.parent / COPIES_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    needed = sum(path.stat().st_size for path in source.parent.glob(f"{source.name}*"))
    if shutil.disk_usage(folder).free < 2 * needed:  # the change itself writes too
        raise DatabaseFullError(
            f"The history's database must be copied before it is changed ({reason}). "
            f"{2 * needed / 1e6:.0f} MB are needed in {folder}. Free some space there."
        )
    now = datetime.datetime.now(datetime.UTC)
    target = folder / f"history-{now:%Y%m%d-%H%M%S-%f}-{reason}.sqlite3"
    backup(engine, target)
    for old in sorted(folder.glob("history-*.sqlite3"))[:-MAX_COPIES]:
        old.unlink(missing_ok=True)
    return target


def remove_copies(engine: Engine, kept_s: float, now: datetime.datetime) -> int:
    """Remove the copies of COPIES_FOLDER that are older; returns how many."""
    if engine.dialect.name != "sqlite":
        return 0
    removed = 0
    for path in (_file_of(engine).parent / COPIES_FOLDER).glob("history-*.sqlite3"):
        with contextlib.suppress(OSError):
            if now.timestamp() - path.stat().st_mtime >= kept_s:
                path.unlink()
                removed += 1
    return removed


def _file_of(engine: Engine) -> Path:
    return Path(str(engine.url.database))


def _copy_sqlite(source: Path, target: Path) -> None:
    with (
        own_errors(),
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)  # in one step: in several, it would begin again with each batch that is recorded
        new.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        _check(new, source)


def _restore_sqlite(engine: Engine, source: Path, newest_version: str) -> Path | None:
    with contextlib.closing(_open_backup(source, newest_version)) as new:
        target = _file_of(engine)
        before = _set_aside(engine) if target.exists() and target.stat().st_size else None
        with own_errors(), contextlib.closing(sqlite3.connect(target)) as old:
            new.backup(old)  # one transaction: all of it or nothing
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return before


def _open_backup(source: Path, newest_version: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(f"{source.resolve(strict=True).as_uri()}?mode=ro", uri=True)
        _check(connection, source)
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if _REQUIRED_TABLES - {name for (name,) in found}:
            raise InvalidValueError(f"{source} holds no history of fer-web. Take a file of history backup.")
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if version > newest_version:
            raise InvalidValueError(
                f"{source} has version {version}; this program knows up to {newest_version}. Restore it with "
                "the newer fer-web that wrote it."
            )
    except sqlite3.DatabaseError as exc:
        raise InvalidValueError(f"{source} is no backup: {exc}. Take a file of history backup.") from exc
    return connection


def _set_aside(engine: Engine) -> Path:
    """Copy what is there; where it is damaged, move it away as it is."""
    try:
        copy = copy_before(engine, "restore")
        assert copy is not None  # of SQLite
        return copy
    except DatabaseFullError:
        raise
    except Exception:
        engine.dispose()
        source = _file_of(engine)
        folder = source.parent / COPIES_FOLDER
        target = folder / f"history-{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S-%f}-damaged.sqlite3"
        for ending in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{source}{ending}", f"{target}{ending}")
        return target


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise InvalidValueError(f"{path} is damaged: {found}. Take an older backup.")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _run_tool(name: str, url: URL, *arguments: str) -> None:
    """Run one of PostgreSQL's own tools. Raises SetupError: it is missing, or says what is wrong."""
    shown = url._replace(drivername="postgresql", password=None).render_as_string()
    tool = shutil.which(name)
    words = f"{name} {' '.join(arguments)} --dbname={shown}"
    if tool is None:
        raise SetupError(
            f"{name} is not installed (Debian: apt-get install postgresql-client). Where it is, run: {words}"
        )
    # The password is in no command line: all users of this machine can read those.
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "10", "PGPASSWORD": str(url.password or "")}
    run = subprocess.run(
        [tool, *arguments, f"--dbname={shown}"], env=environment, capture_output=True, text=True, check=False
    )
    if run.returncode:
        reason = (run.stderr.strip().splitlines() or ["it failed"])[-1][:300]
        raise SetupError(f"{name} failed: {reason}. It was run as: {words}")

"""Brings the tables of a database to the version of this program."""

import logging
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from fer_web.errors import SetupError
from fer_web.storage.backup import copy_before
from fer_web.storage.database import allow_slow_statements, reading, writing

_log = logging.getLogger(__name__)

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
LATEST = max(path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
"""Version of the tables that this program uses."""
_POSTGRES_LOCK = 0x6665725F776562
"""Any number of our own: "fer_web"."""


def migrate(engine: Engine) -> None:
    """Run the missing steps, all or none; programs that start at the same time wait for each other.

    Raises: SetupError: the database was made by a newer program. DatabaseError: it cannot be used.
    """
    with reading(engine) as connection:
        version = _version_of(connection)
    if version == LATEST:
        return
    if version is not None:
        copy = copy_before(engine, f"version-{version}")
        _log.warning(
            "The tables of the history go from version %s to %s. %s",
            version,
            LATEST,
            f"A copy of what was before is in {copy}, for a week."
            if copy
            else "PostgreSQL undoes a step that fails.",
        )
    # On SQLite, BEGIN IMMEDIATE is the lock.
    with writing(engine) as connection:
        allow_slow_statements(connection)
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
        _upgrade(connection)


def version_of_tables(engine: Engine) -> str | None:
    """Version of the tables that are there, None where there are none; nothing is changed.

    Raises: SetupError: the database was made by a newer program. DatabaseError: it cannot be used.
    """
    with reading(engine) as connection:
        return _version_of(connection)


def check_integrity(engine: Engine) -> str | None:
    """Return what SQLite finds damaged in its file, or None; PostgreSQL looks after itself."""
    if engine.dialect.name != "sqlite":
        return None
    with reading(engine) as connection:
        found = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
    return None if found == "ok" else found


def _version_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and version > LATEST:
        raise SetupError(
            f"The history's database has version {version}; this program knows up to {LATEST}. "
            "A newer fer-web wrote it: start that one, or name another folder with --data-dir."
        )
    return version


def _upgrade(connection: Connection) -> None:
    _version_of(connection)
    # Only here: it takes a fifth of a second of each start, and there is seldom anything to do.
    logging.getLogger("alembic").setLevel(logging.WARNING)  # before it loads its plugins and tells of each
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

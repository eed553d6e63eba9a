"""Brings the tables of a database to the version of this program."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from fer_web.errors import SetupError
from fer_web.history.database import writing

_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_POSTGRES_LOCK = 0x6665725F776562
"""Any number of our own: "fer_web"."""


def migrate(engine: Engine) -> None:
    """Run the missing steps, all or none; programs that start at the same time wait for each other.

    Raises: SetupError: the database was made by a newer program. DatabaseError: it cannot be used.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    # On SQLite, BEGIN IMMEDIATE is the lock.
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRES_LOCK})
        _check_not_newer(MigrationContext.configure(connection), ScriptDirectory.from_config(config))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _check_not_newer(context: MigrationContext, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in context.get_current_heads():
        if revision not in known:
            raise SetupError(
                f"The history's database has version {revision}; this program knows up to "
                f"{scripts.get_current_head()}. A newer fer-web wrote it: start that one, or name another "
                "folder with --data-dir."
            )

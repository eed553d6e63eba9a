"""python -m fer_web history backup and restore: without the tables being changed first."""

import argparse
import contextlib
import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from fer_web.commands.history import print_result
from fer_web.errors import InvalidValueError
from fer_web.history.repository import HistoryRepository
from fer_web.history.types import SessionFilter
from fer_web.settings import Settings, settings_from
from fer_web.storage.backup import backup, restore
from fer_web.storage.database import open_engine
from fer_web.storage.migrate import LATEST, migrate, version_of_tables
from fer_web.storage.presence import presence_of


def run_backup(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Write a copy of the history; the server may run."""
    with _engine(given, environment) as (engine, settings):
        if version_of_tables(engine) is None:
            raise InvalidValueError("There is no history yet. The server makes it when it starts.")
        ending = "dump" if settings.database_url else "sqlite3"
        day = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d-%H%M%S")
        path = Path(given.out or f"fer-web-history-{day}.{ending}")
        size = backup(engine, path)
    print_result(given, {"file": str(path), "bytes": size}, f"Wrote {path} ({size} bytes).")
    return 0


def run_restore(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Replace the history by a copy; no server may run."""
    source = Path(given.file)
    with _engine(given, environment) as (engine, _settings):
        presence = presence_of(engine)
        try:
            with presence.entering() as is_alone:
                if not is_alone:
                    raise InvalidValueError("A server works on this history. Stop it, then restore.")
                before = _replace(engine, source, is_wanted=given.replace)
        finally:
            presence.leave()
        total = HistoryRepository(engine).list_sessions(SessionFilter(limit=1), None).total
    kept = f" What was there before is in {before}." if before else ""
    result = {"sessions": total, "before": str(before) if before else None}
    print_result(given, result, f"Restored {total} sessions.{kept}")
    return 0


def _replace(engine: Engine, source: Path, *, is_wanted: bool) -> Path | None:
    if not is_wanted and _has_sessions(engine):
        raise InvalidValueError("There is a history with sessions. To replace it, add --replace.")
    before = restore(engine, source, LATEST)
    engine.dispose()
    migrate(engine)
    return before


def _has_sessions(engine: Engine) -> bool:
    try:
        if version_of_tables(engine) is None:
            return False
        with engine.connect() as connection:
            return connection.exec_driver_sql("SELECT 1 FROM sessions LIMIT 1").first() is not None
    except Exception:
        return True  # damaged, or of a newer program: it is not ours to throw away unasked


@contextlib.contextmanager
def _engine(given: Any, environment: Mapping[str, str]) -> Iterator[tuple[Engine, Settings]]:
    folder = ["--data-dir", given.data_dir] if given.data_dir else []
    settings = settings_from(folder, environment)
    engine = open_engine(settings.database_url, settings.data_dir)
    try:
        yield engine, settings
    finally:
        engine.dispose()

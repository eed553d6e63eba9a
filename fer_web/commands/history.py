"""Does the work of each command of python -m fer_web history: call, print."""

import argparse
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from fer_web.errors import InvalidValueError
from fer_web.history.export import export_format, file_name, utc_text
from fer_web.history.json_reader import LOCAL_LIMITS
from fer_web.history.repository import UNDO_S, HistoryRepository
from fer_web.history.retention import oldest_kept
from fer_web.history.session_files import read_session
from fer_web.history.types import Session, SessionFilter
from fer_web.settings import Settings

NO_BROWSER = "command-line"
"""Owns what is imported here: no browser, so that only the host sees it."""
_PAGE = 200


def list_sessions(repository: HistoryRepository, _settings: Settings, given: argparse.Namespace) -> None:
    """Print sessions, the newest first."""
    found = [_to_wire(session) for session in _sessions(repository, given)]
    lines = [_line(row) for row in found] or ["No sessions."]
    print_result(given, found, *lines)


def export_session(repository: HistoryRepository, _settings: Settings, given: argparse.Namespace) -> None:
    """Write one session to a file or to standard output."""
    wanted = export_format(given.format)
    session = repository.get_session(given.session, None)
    parts = wanted.write(session, repository.iter_samples(given.session, None))
    if given.out == "-":
        for part in parts:
            sys.stdout.buffer.write(part)
        return
    path = Path(given.out or file_name(session, wanted))
    if path.exists() and not given.force:
        raise InvalidValueError(f"{path} exists. Name another file with --out, or replace it with --force.")
    size = _write_whole(path, parts)
    print_result(given, {"file": str(path), "bytes": size}, f"Wrote {path} ({size} bytes).")


def import_file(repository: HistoryRepository, _settings: Settings, given: argparse.Namespace) -> None:
    """Store one exported session."""
    owner = repository.get_session(given.owner_of, None).owner if given.owner_of else NO_BROWSER
    if given.file == "-":
        session, table = read_session(sys.stdin.buffer, LOCAL_LIMITS)
    else:
        with open(given.file, "rb") as file:
            session, table = read_session(file, LOCAL_LIMITS)
    stored = _to_wire(repository.import_session(session, owner, [table]))
    print_result(given, stored, f"Imported as {stored['id']}: {stored['samples']} samples.")


def delete_sessions(repository: HistoryRepository, _settings: Settings, given: argparse.Namespace) -> None:
    """Delete some sessions, or everything."""
    if given.all:
        deleted = repository.delete_all(None)
        print_result(given, {"deleted": deleted}, f"Deleted {deleted} sessions for good.")
        return
    wanted = list(dict.fromkeys(given.sessions))
    for session_id in wanted:  # all or none, where a name is wrong
        repository.get_session(session_id, None)
    for session_id in wanted:
        repository.delete_session(session_id, None)
    result = {"deleted": len(wanted), "undo_s": UNDO_S}
    print_result(
        given,
        result,
        f"Deleted {len(wanted)} sessions. They are removed for good in {UNDO_S / 60:.0f} minutes.",
    )


def purge_sessions(repository: HistoryRepository, settings: Settings, given: argparse.Namespace) -> None:
    """Remove what is older than it may be."""
    days = given.older_than_days or settings.retention_days
    removed = repository.purge(oldest_kept(days, datetime.datetime.now(datetime.UTC)))
    print_result(given, {"removed": removed, "older_than_days": days}, f"Removed {removed} sessions.")


def _sessions(repository: HistoryRepository, given: argparse.Namespace) -> Iterator[Session]:
    left, cursor = given.limit, None
    while left:
        page = repository.list_sessions(
            SessionFilter(given.search, given.tag, cursor=cursor, limit=min(left, _PAGE)), None
        )
        yield from page.sessions
        left, cursor = left - len(page.sessions), page.next
        if cursor is None:
            return


def _to_wire(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "name": session.name,
        "state": session.state,
        "started_at": utc_text(session),
        "length_s": session.length_s,
        "faces": session.faces,
        "samples": session.samples,
        "tags": list(session.tags),
    }


def _line(row: dict[str, Any]) -> str:
    length = datetime.timedelta(seconds=round(row["length_s"]))
    faces = "1 face" if row["faces"] == 1 else f"{row['faces']} faces"
    facts = f"{faces}  {row['samples']} samples  {row['state']}"
    return f"{row['id']}  {row['started_at']}  {length}  {facts}  {row['name']}".rstrip()


def _write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Write a file, complete or not at all; returns its bytes."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".export-")
    try:
        with os.fdopen(handle, "wb") as file:
            size = sum(file.write(part) for part in parts)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    return size


def print_result(given: argparse.Namespace, result: Any, *lines: str) -> None:
    """Print a result as JSON where that was asked for, else as lines."""
    if given.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
    else:
        print(*lines, sep="\n")

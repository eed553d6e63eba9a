"""Everything the program does with its history. With reading.py the only place with SQL."""

import datetime
import json
import math
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, or_, select, update

from fer_web.errors import InvalidValueError, NotFoundError
from fer_web.history.database import writing
from fer_web.history.reading import HistoryReader, key_of, row_of, session_of, visible_to
from fer_web.history.rows import (
    STRIP_PARTS,
    epoch_ms,
    samples_to_rows,
    search_text,
    strip_of,
    table_to_rows,
    to_ms,
)
from fer_web.history.schema import faces, markers, samples, sessions, tags
from fer_web.history.texts import (
    MAX_MARKERS,
    check_marker_text,
    check_name,
    check_notes,
    check_tags,
    check_text,
)
from fer_web.history.types import Marker, NewSession, Sample, SampleTable, Session

UNDO_S = 600.0
"""So long a deleted session can be had back."""

MAX_AT_S = 366 * 86400.0
"""No session is longer than a year."""


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class HistoryRepository(HistoryReader):
    """Domain verbs over the tables, each one transaction: all of it or nothing.

    All verbs block: in eventlet mode they are called through `ServingMode.run_native`, never on the hub. They
    may be called in any thread. `owner` None is the host, who may do everything.

    Every verb raises DatabaseError (DatabaseFullError, DatabaseLockedError) when the database cannot answer.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime.datetime] = _utc_now) -> None:
        """Args: now: the time of day, UTC."""
        super().__init__(engine)
        self._now = now

    def open_session(self, new: NewSession) -> Session:
        """Store a session that begins. Raises InvalidValueError: a name that is not allowed."""
        session_id = secrets.token_urlsafe(12)
        values = {
            **_text_columns(new.name, "", ()),
            "id": session_id,
            "owner": new.owner,
            "state": "running",
            "source": new.source,
            "started_ms": epoch_ms(new.started_at),
            "length_ms": 0,
            "faces": 0,
            "samples": 0,
            "strip": "",
            "model_name": new.model_name,
            "model_hash": new.model_hash,
            "sample_hz": new.sample_hz,
            "settings": json.dumps(new.settings),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(sessions).values(values))
            return session_of(connection, session_id, None)

    def add_batch(self, session_id: str, batch: Sequence[Sample]) -> int:
        """Store samples of one session; returns how many it has now.

        A batch that is stored already, because the answer to its commit was lost, is not stored twice.

        Raises: NotFoundError: the session was deleted. InvalidValueError: a value that is no measurement.
        """
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, None)
            if batch and not _has_sample(connection, row.key, batch[0]):
                _insert_samples(connection, row.key, samples_to_rows(row.key, batch))
                # Another server that started may have taken it for one that was left behind.
                connection.execute(update(sessions).where(sessions.c.key == row.key).values(state="running"))
            return int(row_of(connection, session_id, None).samples)

    def finish_session(self, session_id: str, length_s: float) -> Session:
        """End a recording after `length_s`. Raises NotFoundError: it was deleted."""
        with writing(self._engine) as connection:
            key = key_of(connection, session_id, None)
            _close(connection, key, "finished", to_ms(length_s))
            return session_of(connection, session_id, None)

    def mark_interrupted(self) -> int:
        """Close the sessions that a crash left running; returns how many. They end with their last sample."""
        with writing(self._engine) as connection:
            keys = (
                connection.execute(select(sessions.c.key).where(sessions.c.state == "running"))
                .scalars()
                .all()
            )
            for key in keys:
                _close(connection, key, "interrupted", 0)
            return len(keys)

    def update_session(
        self,
        session_id: str,
        owner: str | None,
        *,
        name: str | None = None,
        notes: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> Session:
        """Change what people wrote; None leaves it. Raises NotFoundError, InvalidValueError."""
        with writing(self._engine) as connection:
            now = session_of(connection, session_id, owner)
            key = key_of(connection, session_id, owner)
            columns = _text_columns(
                now.name if name is None else name,
                now.notes if notes is None else notes,
                now.tags if tags is None else tags,
            )
            connection.execute(update(sessions).where(sessions.c.key == key).values(columns))
            if tags is not None:
                _replace_tags(connection, key, check_tags(tags))
            return session_of(connection, session_id, owner)

    def delete_session(self, session_id: str, owner: str | None) -> None:
        """Hide a session; purge removes it after UNDO_S. A running one stops. Raises NotFoundError."""
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, owner)
            if row.state == "running":
                _close(connection, row.key, "finished", 0)
            deleted = {"deleted_ms": epoch_ms(self._now())}
            connection.execute(update(sessions).where(sessions.c.key == row.key).values(deleted))

    def restore_session(self, session_id: str, owner: str | None) -> Session:
        """Undo delete_session. Raises NotFoundError: never there, or gone for good."""
        own = [] if owner is None else [sessions.c.owner == owner]
        with writing(self._engine) as connection:
            connection.execute(
                update(sessions)
                .where(
                    sessions.c.id == session_id.replace("\0", "?"), sessions.c.deleted_ms.is_not(None), *own
                )
                .values(deleted_ms=None)
            )
            return session_of(connection, session_id, owner)

    def delete_all(self, owner: str | None) -> int:
        """Remove all sessions of an owner at once and for good; returns how many were seen by them."""
        own = [] if owner is None else [sessions.c.owner == owner]
        with writing(self._engine) as connection:
            seen = connection.execute(
                select(func.count()).select_from(sessions).where(*visible_to(owner))
            ).scalar_one()
            connection.execute(delete(sessions).where(*own))
        return int(seen)

    def purge(self, older_than: datetime.datetime | None = None) -> int:
        """Remove for good what began before `older_than` (None: nothing) and what was deleted UNDO_S ago.

        Running sessions stay. Returns how many were removed.
        """
        gone = sessions.c.deleted_ms < epoch_ms(self._now()) - to_ms(UNDO_S)
        if older_than is not None:
            is_old = (sessions.c.started_ms < epoch_ms(older_than)) & (sessions.c.state != "running")
            gone = or_(gone, is_old)
        with writing(self._engine) as connection:
            return connection.execute(delete(sessions).where(gone)).rowcount

    def add_marker(self, session_id: str, owner: str | None, at_s: float, text: str) -> Marker:
        """Name a moment. Raises NotFoundError, InvalidValueError."""
        with writing(self._engine) as connection:
            key = key_of(connection, session_id, owner)
            query = select(func.count()).select_from(markers).where(markers.c.session == key)
            if connection.execute(query).scalar_one() >= MAX_MARKERS:
                raise InvalidValueError(f"A session holds {MAX_MARKERS} markers. Delete one first.")
            return _insert_marker(connection, key, at_s, text)

    def update_marker(
        self,
        session_id: str,
        owner: str | None,
        marker_id: str,
        *,
        at_s: float | None = None,
        text: str | None = None,
    ) -> Marker:
        """Change a marker; None leaves it. Raises NotFoundError, InvalidValueError."""
        with writing(self._engine) as connection:
            session = session_of(connection, session_id, owner)
            old = next((marker for marker in session.markers if marker.id == marker_id), None)
            if old is None:
                raise NotFoundError("There is no such marker in this session.")
            new = Marker(
                marker_id,
                _check_at_s(old.at_s if at_s is None else at_s),
                check_marker_text(old.text if text is None else text),
            )
            values = {"at_ms": to_ms(new.at_s), "text": new.text}
            connection.execute(update(markers).where(markers.c.id == marker_id).values(values))
            return new

    def delete_marker(self, session_id: str, owner: str | None, marker_id: str) -> None:
        """Remove a marker. Raises NotFoundError."""
        with writing(self._engine) as connection:
            key = key_of(connection, session_id, owner)
            here = (markers.c.session == key) & (markers.c.id == marker_id.replace("\0", "?"))
            if connection.execute(delete(markers).where(here)).rowcount == 0:
                raise NotFoundError("There is no such marker in this session.")

    def import_session(self, session: Session, owner: str, tables: Iterable[SampleTable]) -> Session:
        """Store a session that was exported, all of it or nothing, under a new id.

        Args:
            session: what it was; id, owner, counts and strip are made anew, a running one is interrupted.
            tables: its samples, in any portions; each face at most once at a time, to the millisecond.
        Raises: InvalidValueError: a value that is not allowed.
        """
        with writing(self._engine) as connection:
            session_id = secrets.token_urlsafe(12)
            connection.execute(insert(sessions).values(_imported_columns(session, session_id, owner)))
            key = key_of(connection, session_id, owner)
            _replace_tags(connection, key, check_tags(session.tags))
            if len(session.markers) > MAX_MARKERS:
                raise InvalidValueError(f"{len(session.markers)} markers came; {MAX_MARKERS} are allowed.")
            for marker in session.markers:
                _insert_marker(connection, key, marker.at_s, marker.text)
            for table in tables:
                _insert_samples(connection, key, table_to_rows(key, table))
            state = "interrupted" if session.state == "running" else session.state
            _close(connection, key, state, to_ms(_check_at_s(session.length_s)))
            return session_of(connection, session_id, owner)


def _text_columns(name: str, notes: str, tags: Sequence[str]) -> dict[str, str]:
    name, notes, tags = check_name(name), check_notes(notes), check_tags(tags)
    return {"name": name, "notes": notes, "search": search_text(name, notes, tags)}


def _imported_columns(session: Session, session_id: str, owner: str) -> dict[str, Any]:
    if not (math.isfinite(session.sample_hz) and 0 < session.sample_hz <= 1000):
        raise InvalidValueError(f"The sample rate is {session.sample_hz}; allowed: above 0, up to 1000.")
    return {
        **_text_columns(session.name, session.notes, session.tags),
        "id": session_id,
        "owner": owner,
        "state": "running",
        "source": check_text("source", session.source, 32),
        "started_ms": epoch_ms(session.started_at),
        "length_ms": 0,
        "faces": 0,
        "samples": 0,
        "strip": "",
        "model_name": check_text("model name", session.model_name, 200),
        "model_hash": check_text("model hash", session.model_hash, 200),
        "sample_hz": session.sample_hz,
        "settings": json.dumps(session.settings, allow_nan=False),
    }


def _check_at_s(at_s: float) -> float:
    if not 0 <= at_s <= MAX_AT_S:
        raise InvalidValueError(f"The time is {at_s} seconds; allowed: 0 to {MAX_AT_S:.0f}.")
    return round(float(at_s), 3)


def _insert_marker(connection: Connection, key: int, at_s: float, text: str) -> Marker:
    marker = Marker(secrets.token_urlsafe(9), _check_at_s(at_s), check_marker_text(text))
    values = {"id": marker.id, "session": key, "at_ms": to_ms(marker.at_s), "text": marker.text}
    connection.execute(insert(markers).values(values))
    return marker


def _replace_tags(connection: Connection, key: int, values: Sequence[str]) -> None:
    connection.execute(delete(tags).where(tags.c.session == key))
    if values:
        rows = [{"session": key, "tag": tag, "position": i} for i, tag in enumerate(values)]
        connection.execute(insert(tags), rows)


def _has_sample(connection: Connection, key: int, sample: Sample) -> bool:
    here = (
        (samples.c.session == key) & (samples.c.at_ms == to_ms(sample.at_s)) & (samples.c.face == sample.face)
    )
    return connection.execute(select(samples.c.face).where(here)).first() is not None


def _insert_samples(connection: Connection, key: int, rows: list[dict[str, Any]]) -> None:
    """Insert rows and count them in their faces and their session."""
    if not rows:
        return
    connection.execute(insert(samples), rows)
    for face in sorted({row["face"] for row in rows}):
        times_ms = [row["at_ms"] for row in rows if row["face"] == face]
        _count_face(connection, key, face, times_ms)
    of_session = select(func.count()).select_from(faces).where(faces.c.session == key)
    last_ms = max(row["at_ms"] for row in rows)
    connection.execute(
        update(sessions)
        .where(sessions.c.key == key)
        .values(faces=of_session.scalar_subquery(), samples=sessions.c.samples + len(rows))
    )
    is_shorter = (sessions.c.key == key) & (sessions.c.length_ms < last_ms)
    connection.execute(update(sessions).where(is_shorter).values(length_ms=last_ms))


def _count_face(connection: Connection, key: int, face: int, times_ms: list[int]) -> None:
    here = (faces.c.session == key) & (faces.c.face == face)
    known = connection.execute(select(faces).where(here)).one_or_none()
    if known is None:
        first_ms, last_ms = min(times_ms), max(times_ms)
        row = {"session": key, "face": face, "samples": len(times_ms)}
        connection.execute(insert(faces).values(**row, first_ms=first_ms, last_ms=last_ms))
        return
    changes = {
        "first_ms": min(known.first_ms, *times_ms),
        "last_ms": max(known.last_ms, *times_ms),
        "samples": known.samples + len(times_ms),
    }
    connection.execute(update(faces).where(here).values(changes))


def _close(connection: Connection, key: int, state: str, length_ms: int) -> None:
    """End a session: its length reaches to its last sample at least, and its strip is made."""
    row = connection.execute(select(sessions.c.length_ms).where(sessions.c.key == key)).one()
    length_ms = max(length_ms, row.length_ms)
    part = samples.c.at_ms * STRIP_PARTS // (length_ms + 1)
    counts = connection.execute(
        select(part, samples.c.label, samples.c.is_sure, func.count())
        .where(samples.c.session == key)
        .group_by(part, samples.c.label, samples.c.is_sure)
    )
    values = {"state": state, "length_ms": length_ms, "strip": strip_of(tuple(row) for row in counts)}
    connection.execute(update(sessions).where(sessions.c.key == key).values(values))

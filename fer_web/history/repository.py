"""Everything the program does with its history. With reading.py and writing.py the only place with SQL."""

import datetime
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, func, or_, select, true, update

from fer_web.errors import InvalidValueError, NotFoundError, RecordingStoppedError
from fer_web.history.leases import (
    check_holder,
    interrupt,
    is_held_elsewhere,
    lease_is_over,
    let_go,
    renew,
    running,
)
from fer_web.history.people import save_person
from fer_web.history.quota import Use
from fer_web.history.reading import HistoryReader, faces_of, key_of, row_of, session_of, visible_to
from fer_web.history.removal import GONE_MS, remove_sessions
from fer_web.history.rows import samples_to_rows
from fer_web.history.session_import import Import
from fer_web.history.session_texts import MAX_MARKERS, check_marker_text, check_tags
from fer_web.history.types import Marker, NewSession, Sample, SampleTable, Session, SessionFace
from fer_web.history.writing import (
    check_at_s,
    close_session,
    has_sample,
    insert_marker,
    insert_samples,
    insert_session,
    is_stored,
    new_session_id,
    replace_tags,
    store_settings,
    text_columns,
)
from fer_web.storage.backup import COPY_KEPT_S, remove_copies
from fer_web.storage.database import forget_deleted, open_engine, reading, writing
from fer_web.storage.disk_reserve import DiskReserve
from fer_web.storage.migrate import migrate
from fer_web.storage.presence import presence_of
from fer_web.storage.schema import faces, markers, sessions
from fer_web.storage.times import epoch_ms, to_ms

UNDO_S = 600.0
"""A deleted session can be restored for this long."""

REOPEN_S = 600.0
"""A session may go on when it ended less than this ago: a server was restarted, a connection was away."""

TAKE_OVER_S = 0.5
"""A session that another server records is taken over after this: the time in which that server hears that
its client is gone, stores what it still has, and lets go."""
_LOOK_S = 0.05


def _utc_now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


class HistoryRepository(HistoryReader):
    """Domain verbs over the tables, each all or nothing: one transaction, but for removals and import.

    All verbs block: in eventlet mode they are called through `ServingMode.run_waiting`, never on the hub.
    They may be called in any thread. `owner` None is the host, who may do everything.

    Every verb raises DatabaseError (DatabaseFullError, DatabaseLockedError) when the database cannot answer.
    """

    def __init__(self, engine: Engine, now: Callable[[], datetime.datetime] = _utc_now) -> None:
        """Args: now: the time of day, UTC."""
        super().__init__(engine)
        self._now = now
        self._holder = secrets.token_hex(8)
        self._presence = presence_of(engine)
        self._must_forget = False
        self._reserve = DiskReserve(engine)

    def close(self) -> None:
        """Close the connections to the database."""
        self._presence.leave()
        super().close()

    def open_session(self, new: NewSession, session_id: str | None = None) -> Session:
        """Store a session that begins; one that is there already stays as it is.

        Args: session_id: made by `new_session_id`; None makes one.
        Raises: InvalidValueError: a name that is not allowed. DatabaseFullError: only the reserve is left.
            NotFoundError: it was stored and deleted.
        """
        self._reserve.check()
        with writing(self._engine) as connection:
            if session_id is not None and is_stored(connection, session_id):
                return session_of(connection, session_id, None)
            session_id = session_id or new_session_id()
            key = insert_session(connection, session_id, new)
            connection.execute(
                update(sessions)
                .where(sessions.c.key == key)
                .values(running(connection, self._holder, self._now))
            )
            return session_of(connection, session_id, None)

    def use_of(self, owner: str) -> Use:
        """How much an owner has stored."""
        query = select(func.count(), func.coalesce(func.sum(sessions.c.samples), 0)).where(*visible_to(owner))
        with reading(self._engine) as connection:
            count, samples = connection.execute(query).one()
        return Use(int(count), int(samples))

    def add_batch(self, session_id: str, batch: Sequence[Sample]) -> int:
        """Store samples of one session; returns how many it has now.

        A batch that is stored already, because the answer to its commit was lost, is not stored twice.

        Raises: NotFoundError: the session was deleted. RecordingStoppedError: another server records it.
            InvalidValueError: a value that is no measurement. DatabaseFullError: only the reserve is left.
        """
        self._reserve.check()
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, None)
            check_holder(row, self._holder)
            if not batch or has_sample(connection, row.key, batch[0]):
                return int(row.samples)
            rows = samples_to_rows(row.key, batch)
            kept_from_ms = max(row.kept_from_ms, row.started_ms + max(each["at_ms"] for each in rows))
            # Another server that started may have taken it for one that was left behind: it runs.
            return insert_samples(
                connection,
                row,
                rows,
                kept_from_ms=kept_from_ms,
                **running(connection, self._holder, self._now),
            )

    def finish_session(self, session_id: str, length_s: float) -> Session:
        """End a recording after `length_s`.

        Raises: NotFoundError: it was deleted. RecordingStoppedError: another server records it.
        """
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, None)
            check_holder(row, self._holder)
            close_session(connection, row.key, "finished", to_ms(length_s))
            connection.execute(update(sessions).where(sessions.c.key == row.key).values(holder=None))
            return session_of(connection, session_id, None)

    def let_go(self, session_id: str, length_s: float) -> None:
        """Leave a recording to whichever server its client comes to. Raises as `finish_session`."""
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, None)
            check_holder(row, self._holder)
            values = {"length_ms": max(row.length_ms, to_ms(length_s)), **let_go(connection, self._now)}
            connection.execute(update(sessions).where(sessions.c.key == row.key).values(values))

    def set_settings(self, session_id: str, settings: dict[str, Any]) -> None:
        """Replace what decided a session's results. Raises as `finish_session`, and InvalidValueError."""
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, None)
            check_holder(row, self._holder)
            store_settings(connection, row.key, settings)

    def reopen_session(self, session_id: str, owner: str) -> tuple[Session, int]:
        """Let a camera's session that ended a moment ago go on; returns it, with its largest face number.

        One that another server records is taken over, as soon as that one lets go, or after TAKE_OVER_S.

        Raises: RecordingStoppedError: it ended REOPEN_S ago, or is none of this owner's.
        """
        self._wait_for_holder(session_id, owner)
        with writing(self._engine) as connection:
            try:
                session = session_of(connection, session_id, owner)
            except NotFoundError as exc:
                raise RecordingStoppedError() from exc
            ended_at = session.started_at + datetime.timedelta(seconds=session.length_s)
            age_s = (self._now() - ended_at).total_seconds()
            if session.source != "camera" or (session.state != "running" and age_s > REOPEN_S):
                raise RecordingStoppedError()
            key = key_of(connection, session_id, owner)
            connection.execute(
                update(sessions)
                .where(sessions.c.key == key)
                .values(running(connection, self._holder, self._now))
            )
            last_face = connection.execute(select(func.max(faces.c.face)).where(faces.c.session == key))
            named = (person.face for person in session.people)  # perhaps before its first sample
            return session_of(connection, session_id, owner), max(last_face.scalar() or 0, *named, 0)

    def _wait_for_holder(self, session_id: str, owner: str) -> None:
        end_s = time.monotonic() + TAKE_OVER_S
        while time.monotonic() < end_s:
            with reading(self._engine) as connection:
                try:
                    row = row_of(connection, session_id, owner)
                except NotFoundError as exc:
                    raise RecordingStoppedError() from exc
                if not is_held_elsewhere(connection, row, self._holder, self._now):
                    return
            time.sleep(_LOOK_S)

    def mark_interrupted(self) -> int:
        """Close the sessions that a crash left running; returns how many. They end with their last sample.

        Every server calls this once, at its start: where another one that did works on the same database,
        what runs may be its, and nothing is closed. It counts as there until its `close`.
        """
        try:
            with self._presence.entering() as is_alone:
                return self._interrupt_all() if is_alone else 0
        except BaseException:
            self._presence.leave()  # others would be kept out
            raise

    def _interrupt_all(self) -> int:
        with writing(self._engine) as connection:
            return interrupt(connection, sessions.c.state == "running")

    def renew_leases(self, session_ids: Sequence[str]) -> int:
        """Vouch for sessions that this server records, and close those for which none does any more.

        Returns how many were closed. They end with their last sample, and are finished where they were let go
        of. One that was closed by mistake, such as
        after its server stood still for LEASE_S, runs again when that server renews.
        """
        with reading(self._engine) as connection:
            is_left = select(sessions.c.key).where(lease_is_over(connection, self._now))
            if not session_ids and connection.execute(is_left).first() is None:
                return 0  # an idle server takes no lock
        with writing(self._engine) as connection:
            if session_ids:
                renew(connection, session_ids, self._holder, self._now)
            return interrupt(connection, lease_is_over(connection, self._now))

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
            columns = text_columns(
                now.name if name is None else name,
                now.notes if notes is None else notes,
                now.tags if tags is None else tags,
            )
            connection.execute(update(sessions).where(sessions.c.key == key).values(columns))
            if tags is not None:
                replace_tags(connection, key, check_tags(tags))
            return session_of(connection, session_id, owner)

    def delete_session(self, session_id: str, owner: str | None) -> None:
        """Hide a session; purge removes it after UNDO_S. A running one stops. Raises NotFoundError."""
        self._reserve.persist(lambda: self._hide(session_id, owner))

    def _hide(self, session_id: str, owner: str | None) -> None:
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, owner)
            if row.state == "running":
                close_session(connection, row.key, "finished", 0)
            deleted = {"deleted_ms": epoch_ms(self._now())}
            connection.execute(update(sessions).where(sessions.c.key == row.key).values(deleted))

    def restore_session(self, session_id: str, owner: str | None) -> Session:
        """Undo delete_session. Raises NotFoundError: never there, or gone for good."""
        own = [] if owner is None else [sessions.c.owner == owner]
        with writing(self._engine) as connection:
            connection.execute(
                update(sessions)
                .where(sessions.c.id == session_id.replace("\0", "?"), sessions.c.deleted_ms > GONE_MS, *own)
                .values(deleted_ms=None)
            )
            return session_of(connection, session_id, owner)

    def delete_all(self, owner: str | None) -> int:
        """Remove all sessions of an owner at once and for good; returns how many were seen by them."""
        seen = select(func.count()).select_from(sessions).where(*visible_to(owner))
        with reading(self._engine) as connection:
            count = int(connection.execute(seen).scalar_one())
        self._remove(true() if owner is None else sessions.c.owner == owner)
        if owner is None:
            remove_copies(self._engine, 0.0, self._now())
        self._forget()
        return count

    def purge(self, older_than: datetime.datetime | None = None) -> int:
        """Remove for good what is older than `older_than` (None: nothing) and what was deleted UNDO_S ago.

        A recording's age counts from its last sample, an import's from when it was imported. Running sessions
        stay. Returns how many were removed.
        """
        gone = sessions.c.deleted_ms < epoch_ms(self._now()) - to_ms(UNDO_S)
        if older_than is not None:
            is_old = (sessions.c.kept_from_ms < epoch_ms(older_than)) & (sessions.c.state != "running")
            gone = or_(gone, is_old)
        removed = self._remove(gone)
        if removed or self._must_forget:
            self._forget()
        remove_copies(self._engine, COPY_KEPT_S, self._now())
        self._reserve.restock()
        return removed

    def _remove(self, gone: ColumnElement[bool]) -> int:
        return remove_sessions(self._engine, gone, self._reserve.persist)

    def _forget(self) -> None:
        self._must_forget = not forget_deleted(self._engine)

    def add_marker(self, session_id: str, owner: str | None, at_s: float, text: str) -> Marker:
        """Name a moment. Raises NotFoundError, InvalidValueError."""
        with writing(self._engine) as connection:
            key = key_of(connection, session_id, owner)
            query = select(func.count()).select_from(markers).where(markers.c.session == key)
            if connection.execute(query).scalar_one() >= MAX_MARKERS:
                raise InvalidValueError(f"A session holds {MAX_MARKERS} markers. Delete one first.")
            return insert_marker(connection, key, at_s, text)

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
                check_at_s(old.at_s if at_s is None else at_s),
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

    def update_person(
        self,
        session_id: str,
        owner: str | None,
        face: int,
        *,
        name: str | None = None,
        same_as: int | None = None,
    ) -> tuple[SessionFace, ...]:
        """Name the person of a face, or say which face shows the same person; None leaves it.

        Args: same_as: its own number takes the face apart again.
        Returns: all faces of the session. Raises: NotFoundError, InvalidValueError.
        """
        with writing(self._engine) as connection:
            row = row_of(connection, session_id, owner)
            save_person(connection, row, face, name=name, same_as=same_as)
            return faces_of(connection, row.key)

    def import_session(self, session: Session, owner: str, tables: Iterable[SampleTable]) -> Session:
        """Store a session that was exported, all of it or nothing, under a new id.

        Args:
            session: what it was; id, owner, counts and strip are made anew, a running one is interrupted.
            tables: its samples, in any portions; each face at most once at a time, to the millisecond.
        Raises: InvalidValueError: a value that is not allowed. NotFoundError: all was deleted meanwhile.
        """
        return Import(self._engine, session, owner, self._now(), self._reserve.check).store(tables)


def open_history(database_url: str, data_dir: Path) -> HistoryRepository:
    """The history, its tables up to date; an empty `database_url` is SQLite in `data_dir`.

    Raises: SettingsError, SetupError, DatabaseError: it cannot be used; the text says what to do.
    """
    engine = open_engine(database_url, data_dir)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return HistoryRepository(engine)

"""Stores a session that was exported, in many short transactions: a recording waits for none of them."""

import contextlib
import datetime
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from fer_web.errors import DatabaseError, InvalidValueError, NotFoundError
from fer_web.history.people import check_people, count_people, insert_people
from fer_web.history.reading import session_of
from fer_web.history.rows import table_to_rows
from fer_web.history.sample_tables import portions
from fer_web.history.session_texts import MAX_MARKERS
from fer_web.history.types import SampleTable, Session
from fer_web.history.writing import (
    as_new_session,
    check_at_s,
    close_session,
    insert_marker,
    insert_samples,
    insert_session,
    new_session_id,
)
from fer_web.storage.database import writing
from fer_web.storage.schema import sessions
from fer_web.storage.times import epoch_ms, to_ms

_ROWS_AT_ONCE = 5000
"""As rows, samples take ten times the memory; and PostgreSQL takes 65,535 faces in one query."""


class Import:
    """One session on its way in. Until it is whole it counts as deleted: nobody sees it, and purge removes it
    where the process ends before it does."""

    def __init__(
        self,
        engine: Engine,
        session: Session,
        owner: str,
        now: datetime.datetime,
        check_room: Callable[[], None],
    ) -> None:
        """Args: now: from when on its age counts. check_room: raises DatabaseFullError where there is none.

        Raises: InvalidValueError: its markers, people or length.
        """
        self._check_room = check_room
        if len(session.markers) > MAX_MARKERS:
            raise InvalidValueError(f"{len(session.markers)} markers came; {MAX_MARKERS} are allowed.")
        check_people(session.people)
        self._length_ms = to_ms(check_at_s(session.length_s))
        self._engine, self._session, self._owner, self._now = engine, session, owner, now
        self._id = new_session_id()

    def store(self, tables: Iterable[SampleTable]) -> Session:
        """Store it with its samples, all of it or nothing. Raises InvalidValueError, DatabaseError."""
        try:
            key = self._begin()
            for table in tables:
                for part in portions(table, _ROWS_AT_ONCE):
                    self._add(table_to_rows(key, part))
            return self._end()
        except BaseException:
            self._drop()
            raise

    def _begin(self) -> int:
        session = self._session
        self._check_room()
        with writing(self._engine) as connection:
            new = as_new_session(session, self._owner)
            key = insert_session(
                connection, self._id, new, notes=session.notes, tags=session.tags, kept_from=self._now
            )
            for marker in session.markers:
                insert_marker(connection, key, marker.at_s, marker.text)
            insert_people(connection, key, session.people)
            hidden = {"deleted_ms": epoch_ms(self._now)}
            connection.execute(update(sessions).where(sessions.c.key == key).values(hidden))
            return key

    def _add(self, rows: list[dict[str, Any]]) -> None:
        self._check_room()
        with writing(self._engine) as connection:
            insert_samples(connection, self._row(connection), rows)

    def _end(self) -> Session:
        state = "interrupted" if self._session.state == "running" else self._session.state
        with writing(self._engine) as connection:
            key = self._row(connection).key
            close_session(connection, key, state, self._length_ms)
            count_people(connection, key)
            connection.execute(update(sessions).where(sessions.c.key == key).values(deleted_ms=None))
            return session_of(connection, self._id, self._owner)

    def _row(self, connection: Connection) -> Row[Any]:
        row = connection.execute(
            select(sessions).where(sessions.c.id == self._id).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFoundError("All sessions were deleted during the import. Import the file again.")
        return row

    def _drop(self) -> None:
        with contextlib.suppress(DatabaseError), writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.id == self._id))

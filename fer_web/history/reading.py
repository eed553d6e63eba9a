"""Reads from the history all that can be asked of it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, or_, select, tuple_

from fer_web.errors import InvalidValueError, NotFoundError
from fer_web.history.people import People, people_of
from fer_web.history.rows import row_to_marker, row_to_session, rows_to_table
from fer_web.history.session_texts import MAX_SEARCH, MAX_TAG
from fer_web.history.types import SampleTable, Session, SessionFace, SessionFilter, SessionPage
from fer_web.storage.database import reading
from fer_web.storage.schema import faces, markers, samples, sessions, tags
from fer_web.storage.texts import check_text
from fer_web.storage.times import epoch_ms

MAX_PAGE = 200
_SAMPLE_COLUMNS = (
    samples.c.at_ms,
    samples.c.face,
    samples.c.label,
    samples.c.is_sure,
    samples.c.rival,
    samples.c.reason,
    samples.c.measured,
)


class HistoryReader:
    """Questions to the history; each is one transaction. `owner` None is the host, who sees all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The database, for who keeps tables of their own in it."""
        return self._engine

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def get_session(self, session_id: str, owner: str | None) -> Session:
        """A session with its tags, markers and people. Raises NotFoundError."""
        with reading(self._engine) as connection:
            return session_of(connection, session_id, owner)

    def list_sessions(self, wanted: SessionFilter, owner: str | None) -> SessionPage:
        """A page of sessions, the newest first. Raises InvalidValueError: a filter that cannot be."""
        if not 1 <= wanted.limit <= MAX_PAGE:
            raise InvalidValueError(f"The limit is {wanted.limit}; allowed: 1 to {MAX_PAGE}.")
        conditions = _conditions(wanted, owner)
        with reading(self._engine) as connection:
            total = connection.execute(
                select(func.count()).select_from(sessions).where(*conditions)
            ).scalar_one()
            rows = connection.execute(_page_query(wanted, conditions)).all()
            page = rows[: wanted.limit]
            tags_of = _tags_of(connection, [row.key for row in page])
        found = tuple(row_to_session(row, tags_of.get(row.key, ())) for row in page)
        return SessionPage(found, _cursor(page[-1]) if len(rows) > wanted.limit else None, total)

    def list_tags(self, owner: str | None) -> tuple[str, ...]:
        """All tags in use, sorted."""
        query = select(tags.c.tag).distinct().join(sessions).where(*visible_to(owner))
        with reading(self._engine) as connection:
            return tuple(sorted(connection.execute(query).scalars(), key=str.casefold))

    def list_faces(self, session_id: str, owner: str | None) -> tuple[SessionFace, ...]:
        """The faces of a session, by number. Raises NotFoundError."""
        with reading(self._engine) as connection:
            key = key_of(connection, session_id, owner)
            return faces_of(connection, key)

    def read_samples(self, session_id: str, owner: str | None, face: int | None = None) -> SampleTable:
        """All samples, or those of one person: a face and what it was merged with. Raises NotFoundError."""
        with reading(self._engine) as connection:
            key = key_of(connection, session_id, owner)
            wanted = _faces_wanted(connection, key, face)
            return rows_to_table(connection.execute(_samples_query(key, wanted)).all())

    def iter_samples(
        self, session_id: str, owner: str | None, face: int | None = None, chunk: int = 2000
    ) -> Iterator[SampleTable]:
        """The same in tables of `chunk` samples, in constant memory.

        Each table is a transaction of its own, so a slow reader holds up no writer and no checkpoint; and it
        may be asked for in another thread than the one before: `run_waiting(next, tables, None)`.

        Raises: NotFoundError: at any table, once the session is deleted: what was read is not all of it.
        """
        last: tuple[int, int] | None = None
        while True:
            with reading(self._engine) as connection:
                # Found anew for each table: SQLite gives the number of a deleted session to the next one.
                key = key_of(connection, session_id, owner)
                wanted = _faces_wanted(connection, key, face)
                rows = connection.execute(_samples_query(key, wanted, last).limit(chunk)).all()
            if not rows:
                return
            last = (rows[-1].at_ms, rows[-1].face)
            yield rows_to_table(rows)


def visible_to(owner: str | None) -> list[ColumnElement[bool]]:
    """Conditions on sessions: not deleted, and the owner's."""
    conditions: list[ColumnElement[bool]] = [sessions.c.deleted_ms.is_(None)]
    return conditions if owner is None else [*conditions, sessions.c.owner == owner]


def row_of(connection: Connection, session_id: str, owner: str | None) -> Row[Any]:
    """A session's row. Raises NotFoundError."""
    # PostgreSQL fails on a NUL; no id of ours has one.
    query = select(sessions).where(sessions.c.id == session_id.replace("\0", "?"), *visible_to(owner))
    if connection.get_execution_options().get("is_writing"):
        query = query.with_for_update()  # what is written depends on the row (SQLite locks all of it anyway)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError("There is no such session, or another browser recorded it.")
    return row


def key_of(connection: Connection, session_id: str, owner: str | None) -> int:
    """A session's number within the database. Raises NotFoundError."""
    return int(row_of(connection, session_id, owner).key)


def session_of(connection: Connection, session_id: str, owner: str | None) -> Session:
    """A session with its tags, markers and people. Raises NotFoundError."""
    row = row_of(connection, session_id, owner)
    query = select(markers).where(markers.c.session == row.key).order_by(markers.c.at_ms, markers.c.id)
    found = [row_to_marker(marker) for marker in connection.execute(query)]
    tags_here = _tags_of(connection, [row.key]).get(row.key, ())
    return row_to_session(row, tags_here, found, people_of(connection, row.key))


def faces_of(connection: Connection, key: int) -> tuple[SessionFace, ...]:
    """The faces of the session with this key, by number."""
    people = People(people_of(connection, key))
    query = select(faces).where(faces.c.session == key).order_by(faces.c.face)
    return tuple(
        SessionFace(
            face=row.face,
            first_s=row.first_ms / 1000,
            last_s=row.last_ms / 1000,
            samples=row.samples,
            name=people.name_of(row.face),
            person=people.person_of(row.face),
        )
        for row in connection.execute(query)
    )


def _faces_wanted(connection: Connection, key: int, face: int | None) -> tuple[int, ...] | None:
    return None if face is None else People(people_of(connection, key)).faces_like(face)


def _tags_of(connection: Connection, keys: list[int]) -> dict[int, list[str]]:
    query = select(tags.c.session, tags.c.tag).where(tags.c.session.in_(keys)).order_by(tags.c.position)
    found: dict[int, list[str]] = {}
    for key, tag in connection.execute(query):
        found.setdefault(key, []).append(tag)
    return found


def _samples_query(
    key: int, wanted: tuple[int, ...] | None, after: tuple[int, int] | None = None
) -> Select[Any]:
    query = select(*_SAMPLE_COLUMNS).where(samples.c.session == key)
    query = query if wanted is None else query.where(samples.c.face.in_(wanted))
    if after is not None:
        query = query.where(tuple_(samples.c.at_ms, samples.c.face) > after)
    return query.order_by(samples.c.at_ms, samples.c.face)


def _conditions(wanted: SessionFilter, owner: str | None) -> list[ColumnElement[bool]]:
    conditions = visible_to(owner)
    for word in check_text("search", wanted.search, MAX_SEARCH).casefold().split():
        conditions.append(sessions.c.search.contains(word, autoescape=True))
    if tag := check_text("tag", wanted.tag, MAX_TAG):
        conditions.append(sessions.c.key.in_(select(tags.c.session).where(tags.c.tag == tag)))
    if wanted.since is not None:
        conditions.append(sessions.c.started_ms >= epoch_ms(wanted.since))
    if wanted.until is not None:
        conditions.append(sessions.c.started_ms < epoch_ms(wanted.until))
    return conditions


def _page_query(wanted: SessionFilter, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    query = select(sessions).where(*conditions)
    if wanted.cursor is not None:
        started_ms, session_id = _parse_cursor(wanted.cursor)
        query = query.where(
            or_(
                sessions.c.started_ms < started_ms,
                (sessions.c.started_ms == started_ms) & (sessions.c.id < session_id),
            )
        )
    return query.order_by(sessions.c.started_ms.desc(), sessions.c.id.desc()).limit(wanted.limit + 1)


def _cursor(row: Row[Any]) -> str:
    return f"{row.started_ms}.{row.id}"


def _parse_cursor(text: str) -> tuple[int, str]:
    number, _, session_id = text.partition(".")
    is_ours = (
        number.removeprefix("-").isdecimal()
        and number.isascii()
        and len(number) < 17
        and session_id.isascii()
    )
    if not is_ours or not session_id.isprintable():
        raise InvalidValueError(f"The cursor {text!r:.60} is none of ours. Take it from the page before.")
    return int(number), session_id

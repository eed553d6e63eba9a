"""Videos in the database from where workers of other processes take them: each is one worker's for a while.

A worker vouches for what it has. When it says nothing for LEASE_S, another one may take it, and the first one
finds that out with its next word: what it does after that counts for nothing.
"""

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, Row, delete, insert, select, text, update

from fer_web.analysis.videos.job_store import StoredJob, columns_of, job_of
from fer_web.storage.database import reading, writing
from fer_web.storage.schema import video_jobs
from fer_web.storage.times import database_now_ms, to_ms

LEASE_S: Final = 10.0
"""A video whose worker says nothing for so long may be taken by another one."""

RENEW_S: Final = 2.0
"""Seconds between two words of a worker: its lease, and how much is done."""

_TRIES: Final = 20
_LOCK: Final = 0x6665_7277
"""Number of the lock under which PostgreSQL lets one process at a time add a video of a place."""


@dataclass(frozen=True)
class SharedJob:
    """A row.

    Attributes: started_s: when a worker took it last, since 1970. is_held: a worker vouches for it.
    """

    stored: StoredJob
    started_s: float | None
    is_held: bool

    @property
    def is_free(self) -> bool:
        """Tell whether a worker may take it now."""
        return self.stored.state in ("queued", "running") and not self.is_held


class SharedRows:
    """The table of videos, for one place. Each verb blocks, is one transaction, and raises DatabaseError."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine, self._place = engine, place

    def add(self, job: StoredJob, check: Callable[[list[SharedJob]], None] = lambda _all: None) -> None:
        """Store a new one. Args: check: raises where it must not be added to these."""
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            check(self._all(connection))
            connection.execute(insert(video_jobs).values(place=self._place, **columns_of(job)))

    def all(self) -> list[SharedJob]:
        """All of the place, the oldest first."""
        with reading(self._engine) as connection:
            return self._all(connection)

    def get(self, job_id: str) -> StoredJob | None:
        """One of them."""
        with reading(self._engine) as connection:
            row = connection.execute(select(video_jobs).where(self._is(job_id))).one_or_none()
        return None if row is None else job_of(row)

    def claim(self, holder: str, order: Callable[[list[SharedJob]], list[SharedJob]]) -> StoredJob | None:
        """Take the first that is free; None where there is none.

        Args:
            holder: who takes it: a name that is new each time.
            order: picks the free ones of all, in the order in which they are taken.
        """
        for _ in range(_TRIES):
            first = next(iter(order(self.all())), None)
            if first is None:
                return None
            if self._take(first, holder):
                return self.get(first.stored.id)
        return None

    def renew(self, job_id: str, holder: str, told: dict[str, Any]) -> bool:
        """Vouch for it and say how much is done; False: it is not this worker's any more, or gone."""
        with writing(self._engine) as connection:
            lease = database_now_ms(connection, _now) + to_ms(LEASE_S)
            return self._change(connection, job_id, holder, told=json.dumps(told), lease_ms=lease)

    def note_session(self, job_id: str, holder: str, session: str) -> bool:
        """Its result is stored, and it is not finished yet. Returns as `renew`."""
        with writing(self._engine) as connection:
            return self._change(connection, job_id, holder, session=session)

    def end(self, job_id: str, holder: str, state: str, told: dict[str, Any], session: str | None) -> bool:
        """It is done, or failed. Returns as `renew`."""
        with writing(self._engine) as connection:
            values = {"state": state, "told": json.dumps(told), "session": session, "holder": None}
            now_ms = database_now_ms(connection, _now)
            return self._change(connection, job_id, holder, **values, ended_ms=now_ms)

    def release(self, job_id: str, holder: str, told: dict[str, Any]) -> bool:
        """Give it back: another worker begins it anew. Returns as `renew`."""
        with writing(self._engine) as connection:
            values = {"state": "queued", "told": json.dumps(told), "holder": None}
            return self._change(connection, job_id, holder, **values)

    def remove(self, job_id: str) -> None:
        """Forget it; a worker that has it finds out."""
        with writing(self._engine) as connection:
            connection.execute(delete(video_jobs).where(self._is(job_id)))

    def remove_all(self) -> None:
        """Forget all of the place."""
        with writing(self._engine) as connection:
            connection.execute(delete(video_jobs).where(video_jobs.c.place == self._place))

    def _is(self, job_id: str) -> ColumnElement[bool]:
        return (video_jobs.c.place == self._place) & (video_jobs.c.id == job_id)

    def _all(self, connection: Any) -> list[SharedJob]:
        now_ms = database_now_ms(connection, _now)
        query = select(video_jobs).where(video_jobs.c.place == self._place)
        rows = connection.execute(query.order_by(video_jobs.c.created_ms, video_jobs.c.id)).all()
        return [_shared(row, now_ms) for row in rows]

    def _take(self, job: SharedJob, holder: str) -> bool:
        """False: another worker was first."""
        with writing(self._engine) as connection:
            now_ms = database_now_ms(connection, _now)
            free = video_jobs.c.holder.is_(None) | (video_jobs.c.lease_ms <= now_ms)
            is_open = video_jobs.c.state.in_(("queued", "running"))
            taken = update(video_jobs).where(self._is(job.stored.id), is_open, free)
            values = {"state": "running", "holder": holder, "started_ms": now_ms}
            lease = now_ms + to_ms(LEASE_S)
            return bool(connection.execute(taken.values(**values, lease_ms=lease)).rowcount)

    def _change(self, connection: Any, job_id: str, by: str, **values: Any) -> bool:
        own = update(video_jobs).where(self._is(job_id), video_jobs.c.holder == by)
        return bool(connection.execute(own.values(values)).rowcount)


def forget_older(engine: Engine, prefix: str, age_s: float) -> None:
    """Forget what is left of places with this beginning, of programs that were killed."""
    with writing(engine) as connection:
        since_ms = database_now_ms(connection, _now) - to_ms(age_s)
        is_old = video_jobs.c.place.startswith(prefix) & (video_jobs.c.created_ms < since_ms)
        connection.execute(delete(video_jobs).where(is_old))


def _shared(row: Row[Any], now_ms: int) -> SharedJob:
    is_held = row.holder is not None and row.lease_ms is not None and row.lease_ms > now_ms
    started_s = None if row.started_ms is None else row.started_ms / 1000
    return SharedJob(job_of(row), started_s, is_held)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)

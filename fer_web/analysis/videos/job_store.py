"""Keeps videos that wait, run or are done in the history's database, so that they outlive the server."""

import json
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Engine, Row, delete, insert, select, update

from fer_web.storage.database import reading, writing
from fer_web.storage.schema import video_jobs
from fer_web.storage.times import to_ms


@dataclass(frozen=True)
class StoredJob:
    """A job as it is stored; see VideoJob.

    Attributes:
        folder: name of its own folder, wherever that lies in the place.
        created_s, ended_s: since 1970.
        session: in which its result is, or will be when it is finished.
        told: what else is said of it: plain JSON types.
    """

    id: str
    folder: str
    owner: str
    client_key: str
    name: str
    wants_annotated: bool
    state: str
    created_s: float
    ended_s: float | None = None
    session: str | None = None
    told: dict[str, Any] = field(default_factory=dict)


class JobStore(Protocol):
    """Where jobs are kept. Each verb blocks, is one transaction, and raises DatabaseError."""

    def add(self, job: StoredJob) -> None: ...
    def change(self, job: StoredJob) -> None: ...
    def remove(self, job_id: str) -> None: ...
    def load(self, place: str) -> list[StoredJob]: ...


class NoJobStore:
    """Keeps nothing: for queues that end with their process."""

    def add(self, job: StoredJob) -> None:
        """Nothing."""

    def change(self, job: StoredJob) -> None:
        """Nothing."""

    def remove(self, job_id: str) -> None:
        """Nothing."""

    def load(self, place: str) -> list[StoredJob]:
        """None."""
        return []


class DatabaseJobStore:
    """The table of videos. Servers with other data folders have rows of their own in it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._place = ""

    def add(self, job: StoredJob) -> None:
        """Store a new job."""
        with writing(self._engine) as connection:
            connection.execute(insert(video_jobs).values(place=self._place, **columns_of(job)))

    def change(self, job: StoredJob) -> None:
        """Store what it is now; nothing where it was removed."""
        with writing(self._engine) as connection:
            connection.execute(update(video_jobs).where(video_jobs.c.id == job.id).values(columns_of(job)))

    def remove(self, job_id: str) -> None:
        """Forget a job."""
        with writing(self._engine) as connection:
            connection.execute(delete(video_jobs).where(video_jobs.c.id == job_id))

    def load(self, place: str) -> list[StoredJob]:
        """All jobs of a place, which new ones belong to from now on; the oldest first."""
        self._place = place
        query = select(video_jobs).where(video_jobs.c.place == place)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(video_jobs.c.created_ms, video_jobs.c.id)).all()
        return [job_of(row) for row in rows]


def columns_of(job: StoredJob) -> dict[str, Any]:
    """A job as columns of its row, without its place."""
    return {
        "id": job.id,
        "folder": job.folder,
        "owner": job.owner,
        "client_key": job.client_key,
        "name": job.name,
        "wants_annotated": job.wants_annotated,
        "state": job.state,
        "created_ms": to_ms(job.created_s),
        "ended_ms": None if job.ended_s is None else to_ms(job.ended_s),
        "session": job.session,
        "told": json.dumps(job.told),
    }


def job_of(row: Row[Any]) -> StoredJob:
    """The job of a row."""
    return StoredJob(
        id=row.id,
        folder=row.folder,
        owner=row.owner,
        client_key=row.client_key,
        name=row.name,
        wants_annotated=row.wants_annotated,
        state=row.state,
        created_s=row.created_ms / 1000,
        ended_s=None if row.ended_ms is None else row.ended_ms / 1000,
        session=row.session,
        told=json.loads(row.told),
    )

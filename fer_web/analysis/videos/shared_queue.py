"""The queue of videos in the database: servers fill it, and workers of other processes take from it."""

import contextlib
import datetime
import logging
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final

from fer_web.analysis.videos.job_rules import JobLimits, by_name, check_quota, in_turn, superfluous
from fer_web.analysis.videos.job_store import StoredJob
from fer_web.analysis.videos.shared_rows import SharedJob, SharedRows
from fer_web.analysis.videos.video_job import (
    JobView,
    NewVideo,
    VideoJob,
    job_at,
    stored_of,
    view_of,
)
from fer_web.errors import DatabaseError, NotFoundError

ORPHAN_S: Final = 24 * 3600.0
"""A folder of a video that no row names for so long is removed: its server ended while it came in."""

_log = logging.getLogger(__name__)


class SharedVideoQueue:
    """As VideoQueue, with all that is known in the database. Thread-safe; all but `client_keys` blocks."""

    def __init__(
        self,
        rows: SharedRows,
        root: Path,
        ask: Callable[[], None],
        limits: JobLimits | None = None,
        waiting_elsewhere: Callable[[], Counter[str]] = Counter,
    ) -> None:
        """Args:
        root: folder with a folder for each video.
        ask: tells the workers that there is one more.
        waiting_elsewhere: what `waiting` tells of the other servers, all together.
        """
        self._rows, self._root, self._ask = rows, root, ask
        self._limits, self._waiting_elsewhere = limits or JobLimits(), waiting_elsewhere
        self._uploading: Counter[tuple[str, str]] = Counter()
        self._guard = threading.Lock()
        self._client_keys: set[str] = set()

    @contextlib.contextmanager
    def slot_for(self, owner: str, client_key: str = "") -> Iterator[None]:
        """See VideoQueue."""
        self._check_quota(self._rows.all(), owner, client_key)
        with self._guard:
            self._uploading[owner, client_key] += 1
        try:
            yield
        finally:
            with self._guard:
                self._uploading[owner, client_key] -= 1
                self._uploading += Counter()

    def submit(self, new: NewVideo) -> JobView:
        """Queue a video. Raises TooManyJobsError: others were faster. DatabaseError."""
        now = datetime.datetime.now(datetime.UTC)
        job = VideoJob(secrets.token_urlsafe(12), new, 0, now)
        limits = self._limits

        def check(others: list[SharedJob]) -> None:
            check_quota(_waiting(others), new.owner, new.client_key, limits, Counter())

        self._rows.add(stored_of(job, time.time()), check)
        self._ask()
        return self.get(job.id, None)

    def list_of(self, owner: str | None) -> list[JobView]:
        """See VideoQueue."""
        rows = self._rows.all()
        positions = self._positions(rows)
        mine = [row for row in rows if owner is None or row.stored.owner == owner]
        return [self._view(row, positions) for row in reversed(mine)]

    def get(self, job_id: str, owner: str | None) -> JobView:
        """See VideoQueue."""
        rows = self._rows.all()
        return self._view(_own(rows, job_id, owner), self._positions(rows))

    def waiting(self) -> Counter[str]:
        """Those on their way in: other servers know of the rest."""
        with self._guard:
            return by_name(self._uploading)

    def client_keys(self) -> set[str]:
        """Of those whose videos waited or ran when somebody looked last."""
        return self._client_keys

    def cancel_of(self, client_keys: Collection[str]) -> int:
        """See VideoQueue."""
        gone = [row for row in self._rows.all() if _is_open(row) and row.stored.client_key in client_keys]
        for row in gone:
            self._remove(row)
        return len(gone)

    def remove(self, job_id: str, owner: str | None) -> None:
        """See VideoQueue."""
        self._remove(_own(self._rows.all(), job_id, owner))

    def expire(self) -> None:
        """Forget what was kept for long enough, or is too much, and files that nobody knows."""
        rows = self._rows.all()
        by_id = {row.stored.id: row for row in rows}
        gone = superfluous(self._jobs(rows), self._limits, time.time())
        for job in gone:
            try:
                self._remove(by_id[job.id])
            except DatabaseError as exc:
                _log.warning("A video could not be forgotten: %s", exc)
        self._remove_orphans({row.stored.folder for row in rows})

    def look(self) -> int:
        """Return how many a worker could take now; for whoever wakes the workers."""
        rows = self._rows.all()
        self._client_keys = {row.stored.client_key for row in rows if _is_open(row)}
        return sum(row.is_free for row in rows)

    def order(self, rows: list[SharedJob]) -> list[SharedJob]:
        """The free ones, in the order in which they are taken: what a worker lost comes first."""
        lost = [row for row in rows if row.is_free and row.stored.state == "running"]
        by_id = {row.stored.id: row for row in rows}
        return [*lost, *(by_id[job_id] for job_id in self._positions(rows))]

    def job_of(self, stored: StoredJob) -> VideoJob:
        """A job as a worker takes it up."""
        return job_at(stored, self._root / stored.folder, None)

    def _positions(self, rows: list[SharedJob]) -> dict[str, int]:
        served: dict[str, float] = {}
        for row in rows:
            for name in (row.stored.owner, row.stored.client_key):
                served[name] = max(served.get(name, 0.0), row.started_s or 0.0)
        waiting = [self.job_of(row.stored) for row in rows if row.stored.state == "queued"]
        return {job.id: place for place, job in enumerate(in_turn(waiting, served), 1)}

    def _jobs(self, rows: list[SharedJob]) -> list[VideoJob]:
        return [job_at(row.stored, self._root / row.stored.folder, row.started_s) for row in rows]

    def _view(self, row: SharedJob, positions: dict[str, int]) -> JobView:
        (job,) = self._jobs([row])
        return view_of(job, positions.get(job.id), time.time())

    def _check_quota(self, rows: list[SharedJob], owner: str, client_key: str) -> None:
        with self._guard:
            waiting = _waiting(rows) + self._uploading
        check_quota(waiting, owner, client_key, self._limits, self._waiting_elsewhere())

    def _remove(self, row: SharedJob) -> None:
        self._rows.remove(row.stored.id)
        if not row.is_held:  # its worker removes the files when it finds out
            shutil.rmtree(self._root / row.stored.folder, ignore_errors=True)

    def _remove_orphans(self, known: set[str]) -> None:
        for path in self._root.iterdir() if self._root.is_dir() else ():
            with contextlib.suppress(OSError):
                if path.name not in known and time.time() - path.stat().st_mtime > ORPHAN_S:
                    shutil.rmtree(path, ignore_errors=True)


def _waiting(rows: list[SharedJob]) -> Counter[tuple[str, str]]:
    return Counter((row.stored.owner, row.stored.client_key) for row in rows if row.stored.state == "queued")


def _is_open(row: SharedJob) -> bool:
    return row.stored.state in ("queued", "running")


def _own(rows: list[SharedJob], job_id: str, owner: str | None) -> SharedJob:
    for row in rows:
        if row.stored.id == job_id and owner in (None, row.stored.owner):
            return row
    raise NotFoundError("There is no such video here: it was removed, or its time is over.")

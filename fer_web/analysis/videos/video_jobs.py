"""Videos that wait for their turn, are analysed, and are done: who may have how many, and who is next."""

import contextlib
import datetime
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from fer_web.analysis.videos.job_rules import JobLimits, by_name, check_quota, in_turn, superfluous
from fer_web.analysis.videos.job_store import JobStore, NoJobStore, StoredJob
from fer_web.analysis.videos.scratch import FoundFolders
from fer_web.analysis.videos.video_job import (
    JobState,
    JobView,
    NewVideo,
    VideoJob,
    restored,
    stored_of,
    view_of,
)
from fer_web.errors import DatabaseError, FerWebError, NotFoundError

_log = logging.getLogger(__name__)


class VideoQueue:
    """The queue. Thread-safe.

    Clients take turns, and so do the owners of each: next is the oldest video of who was served longest ago.
    """

    def __init__(
        self,
        discard: Callable[[Path], None],
        limits: JobLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        store: JobStore | None = None,
        waiting_elsewhere: Callable[[], Counter[str]] = Counter,
    ) -> None:
        """Args:
        discard: removes a job's folder; called without the lock.
        clock: seconds.
        store: where jobs outlive the server; asked without the lock.
        waiting_elsewhere: what `waiting` tells of the other servers, all together.
        """
        self._waiting_elsewhere = waiting_elsewhere
        self._store = store or NoJobStore()
        self._discard = discard
        self._limits = limits or JobLimits()
        self._clock = clock
        self._jobs: dict[str, VideoJob] = {}
        self._uploading: Counter[tuple[str, str]] = Counter()
        self._served: dict[str, int] = {}
        self._numbers = 0
        self._is_stopping = False
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def slot_for(self, owner: str, client_key: str = "") -> Iterator[None]:
        """Keeps a slot in the queue while a video comes in. Raises TooManyJobsError: there is none."""
        elsewhere = self._waiting_elsewhere()
        with self._changed:
            self._check_quota(owner, client_key, elsewhere)
            self._uploading[owner, client_key] += 1
        try:
            yield
        finally:
            with self._changed:
                self._uploading[owner, client_key] -= 1
                self._uploading += Counter()  # keeps those above zero

    def submit(self, new: NewVideo) -> JobView:
        """Queue a video whose slot was kept; blocks. Its folder is ours from now on. Raises DatabaseError."""
        now = datetime.datetime.now(datetime.UTC)
        job = VideoJob(secrets.token_urlsafe(12), new, 0, now)
        self._store.add(self._stored(job))
        with self._changed:
            self._numbers += 1
            job.number = self._numbers
            self._jobs[job.id] = job
            self._changed.notify_all()
            return self._view(job)

    def restore(self, stored: Collection[StoredJob], found: FoundFolders) -> None:
        """Take up the jobs of a server that has ended: what ran begins anew. For the start.

        Args: stored: the oldest first. found: their folders.
        """
        for each in stored:
            if each.folder in found.others:
                continue  # a server that lives has it
            job = restored(each, found.ours.get(each.folder), self._clock())
            with self._changed:
                self._numbers += 1
                job.number = self._numbers
                self._jobs[job.id] = job
            if job.state != each.state:
                self._save(job)
        self.expire()

    def folders(self) -> set[str]:
        """Names of the folders that jobs need."""
        with self._changed:
            return {job.new.folder.name for job in self._jobs.values()}

    def list_of(self, owner: str | None) -> list[JobView]:
        """An owner's videos, or everybody's, newest first."""
        with self._changed:
            mine = [job for job in self._jobs.values() if owner is None or job.new.owner == owner]
            return [self._view(job) for job in reversed(mine)]

    def get(self, job_id: str, owner: str | None) -> JobView:
        """One of an owner's videos; None is the host. Raises NotFoundError."""
        with self._changed:
            return self._view(self._of(job_id, owner))

    def client_keys(self) -> set[str]:
        """Of those whose videos wait or run."""
        with self._changed:
            return {job.new.client_key for job in self._jobs.values() if job.state in ("queued", "running")}

    def cancel_of(self, client_keys: Collection[str]) -> int:
        """Cancel what waits or runs of some clients, and forget it; returns how many."""
        with self._changed:
            gone = [
                job.id
                for job in self._jobs.values()
                if job.new.client_key in client_keys and job.state in ("queued", "running")
            ]
        for job_id in gone:
            with contextlib.suppress(NotFoundError):  # removed this moment
                self.remove(job_id, None)
        return len(gone)

    def remove(self, job_id: str, owner: str | None) -> None:
        """Forget a video; one that waits or runs is cancelled; blocks. Raises NotFoundError, DatabaseError.

        Args: owner: None is the host, who may cancel everybody's.
        """
        with self._changed:
            self._of(job_id, owner)
        self._store.remove(job_id)
        with self._changed:
            job = self._of(job_id, owner)
            del self._jobs[job_id]
            job.must_end.set()
            if job.state == "running":
                return  # its worker ends, and removes the files
        self._discard(job.new.folder)

    def next(self) -> VideoJob | None:
        """Wait for the next video and begin it; None when the server stops."""
        with self._changed:
            while not (self._is_stopping or self._order()):
                self._changed.wait()
            if self._is_stopping:
                return None
            job = self._order()[0]
            job.state, job.started_s = "running", self._clock()
            self._numbers += 1
            self._served[job.new.owner] = self._served[job.new.client_key] = self._numbers
        self._save(job)
        return job

    def progress(self, job: VideoJob, frames: int, total: int | None, faces: int) -> None:
        """Note how much of it is done."""
        with self._changed:
            job.frames, job.frames_total, job.faces = frames, total, faces

    def note_session(self, job: VideoJob, session: str) -> None:
        """It is in the history, and not finished yet."""
        job.noted = session
        self._save(job)

    def finish(
        self, job: VideoJob, session: str, *, table: Path, annotated: Path | None, remarks: tuple[str, ...]
    ) -> bool:
        """It is in the history, and these files can be had. False where it was cancelled meanwhile."""
        kept = sum(path.stat().st_size for path in (table, annotated) if path)
        with self._changed:
            if job.id not in self._jobs:
                return False
            job.session, job.table, job.annotated = session, table, annotated
            job.remarks, job.bytes_kept = remarks, kept
            self._end(job, "finished")
        self._save(job)
        self.expire()
        return True

    def cancelled(self, job: VideoJob) -> None:
        """Whoever worked on it has stopped."""
        self._conclude(job, "cancelled")

    def fail(self, job: VideoJob, error: FerWebError) -> None:
        """It cannot be analysed."""
        job.error = error
        self._conclude(job, "failed")

    def expire(self) -> None:
        """Forget what was kept for long enough, or is too much."""
        with self._changed:
            gone = superfluous(self._jobs.values(), self._limits, self._clock())
            for job in gone:
                del self._jobs[job.id]
            known = {name for job in self._jobs.values() for name in (job.new.owner, job.new.client_key)}
            self._served = {name: number for name, number in self._served.items() if name in known}
        for job in gone:
            with _database_told():
                self._store.remove(job.id)
            self._discard(job.new.folder)

    def stop(self) -> None:
        """End what runs, and give out nothing more."""
        with self._changed:
            self._is_stopping = True
            for job in self._jobs.values():
                job.must_end.set()
            self._changed.notify_all()

    def waiting(self) -> Counter[str]:
        """How many wait or are on their way in, of each "owner NAME" and "client KEY"."""
        with self._changed:
            return by_name(self._waiting())

    def _waiting(self) -> Counter[tuple[str, str]]:
        jobs = (each.new for each in self._jobs.values() if each.state == "queued")
        return Counter((new.owner, new.client_key) for new in jobs) + self._uploading

    def _check_quota(self, owner: str, client_key: str, elsewhere: Counter[str]) -> None:
        check_quota(self._waiting(), owner, client_key, self._limits, elsewhere)

    def _of(self, job_id: str, owner: str | None) -> VideoJob:
        job = self._jobs.get(job_id)
        if job is None or (owner is not None and job.new.owner != owner):
            raise NotFoundError("There is no such video here: it was removed, or its time is over.")
        return job

    def _order(self) -> list[VideoJob]:
        """Those that wait, in the order in which they will be begun if nothing else comes."""
        return in_turn([job for job in self._jobs.values() if job.state == "queued"], self._served)

    def _conclude(self, job: VideoJob, state: JobState) -> None:
        with self._changed:
            if self._is_stopping and job.id in self._jobs:
                return  # the next start takes it up again
        # First the files: whoever reads that it has ended finds nothing of it on the disk.
        self._discard(job.new.folder)
        with self._changed:
            self._end(job, state)
        self._save(job)
        self.expire()

    def _end(self, job: VideoJob, state: JobState) -> None:
        job.state, job.ended_s = state, self._clock()

    def _save(self, job: VideoJob) -> None:
        """Store what it is now; a database that is away changes nothing for who waits for it."""
        with self._changed:
            stored = self._stored(job)
        with _database_told():
            self._store.change(stored)

    def _stored(self, job: VideoJob) -> StoredJob:
        return stored_of(job, self._clock())

    def _view(self, job: VideoJob) -> JobView:
        position = self._order().index(job) + 1 if job.state == "queued" else None
        return view_of(job, position, self._clock())


@contextlib.contextmanager
def _database_told() -> Iterator[None]:
    try:
        yield
    except DatabaseError as exc:
        _log.warning("A video's state could not be stored: %s", exc)

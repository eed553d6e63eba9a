"""What a worker says of the video that it has: the lease, how much is done, and how it ended."""

import contextlib
import logging
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fer_web.analysis.videos.shared_rows import RENEW_S, SharedRows
from fer_web.analysis.videos.video_job import VideoJob, told_of
from fer_web.errors import DatabaseError, FerWebError

_log = logging.getLogger(__name__)


class Lease:
    """A thread that vouches for a row while it is worked on. Where that is refused, `must_end` is set."""

    def __init__(self, rows: SharedRows, job_id: str, holder: str, must_end: threading.Event) -> None:
        self._rows, self._job_id, self._holder, self._must_end = rows, job_id, holder, must_end
        self.told: dict[str, Any] = {}

    @contextlib.contextmanager
    def kept(self, told: dict[str, Any]) -> Iterator[None]:
        """Vouch for it within this. Args: told: what to say first; `self.told` is what is said later."""
        self.told, ended = told, threading.Event()
        thread = threading.Thread(target=self._renew, args=(ended,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _renew(self, ended: threading.Event) -> None:
        is_over = False
        while not is_over:
            try:
                if not self._rows.renew(self._job_id, self._holder, self.told):
                    self._must_end.set()
                    return
            except DatabaseError as exc:
                # Whose it is can be told by the database alone: work goes on until that is back.
                _log.warning("A video's lease could not be renewed: %s", exc)
            is_over = ended.wait(RENEW_S)


class ClaimedVideo:
    """The queue of a worker that has one video of it; see VideoQueue's verbs of the same names."""

    def __init__(self, rows: SharedRows, job: VideoJob, holder: str) -> None:
        self._rows, self._job, self._holder = rows, job, holder
        self._lease = Lease(rows, job.id, holder, job.must_end)

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """The video is this worker's within this."""
        with self._lease.kept(told_of(self._job)):
            yield

    def progress(self, job: VideoJob, frames: int, total: int | None, faces: int) -> None:
        """See VideoQueue."""
        job.frames, job.frames_total, job.faces = frames, total, faces
        self._lease.told = told_of(job)

    def note_session(self, job: VideoJob, session: str) -> None:
        """See VideoQueue."""
        job.noted = session
        self._rows.note_session(job.id, self._holder, session)

    def finish(
        self, job: VideoJob, session: str, *, table: Path, annotated: Path | None, remarks: tuple[str, ...]
    ) -> bool:
        """See VideoQueue. Also False where another worker has taken it meanwhile."""
        job.remarks = remarks
        job.bytes_kept = sum(path.stat().st_size for path in (table, annotated) if path)
        if self._rows.end(job.id, self._holder, "finished", told_of(job), session):
            return True
        # Another worker has taken it after it was noted, and said so in this one's place.
        stored = self._rows.get(job.id)
        return stored is not None and stored.session == session

    def cancelled(self, job: VideoJob) -> None:
        """Give it back where this worker ends; where it was removed, so are its files."""
        job.tries -= 1
        if not self._rows.release(job.id, self._holder, told_of(job)) and self._rows.get(job.id) is None:
            shutil.rmtree(job.new.folder, ignore_errors=True)

    def fail(self, job: VideoJob, error: FerWebError) -> None:
        """See VideoQueue."""
        job.error = error
        if self._rows.end(job.id, self._holder, "failed", told_of(job), None):
            shutil.rmtree(job.new.folder, ignore_errors=True)

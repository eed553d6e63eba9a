"""A worker in a process of its own: it takes videos of a place out of the database, one after the other."""

import secrets
import threading
from dataclasses import dataclass, field
from typing import Final

from fer_web.analysis.videos.shared_claim import ClaimedVideo
from fer_web.analysis.videos.shared_queue import SharedVideoQueue
from fer_web.analysis.videos.shared_rows import SharedRows
from fer_web.analysis.videos.video_job import VideoJob
from fer_web.analysis.videos.video_worker import SessionStore, VideoTools, VideoWork
from fer_web.errors import InternalError

MAX_TRIES: Final = 3
"""A video is given up when so many workers broke down while they had it."""


@dataclass
class Stopping:
    """Ends what runs when the worker shall end."""

    is_set: bool = False
    running: set[threading.Event] = field(default_factory=set)

    def set(self) -> None:
        """From now on nothing is begun."""
        self.is_set = True
        for each in tuple(self.running):
            each.set()


class SharedVideoWorker:
    """Analyses one video at a time. The queue is the servers' own, by which it knows who is next."""

    def __init__(
        self, rows: SharedRows, queue: SharedVideoQueue, tools: VideoTools, store: SessionStore
    ) -> None:
        self._rows, self._queue, self._tools, self._store = rows, queue, tools, store

    def run_next(self, stopping: Stopping) -> bool:
        """Take the next video and analyse it; False where none waits. Raises DatabaseError."""
        holder = secrets.token_hex(12)
        stored = None if stopping.is_set else self._rows.claim(holder, self._queue.order)
        if stored is None:
            return False
        job = self._queue.job_of(stored)
        job.tries += 1
        desk = ClaimedVideo(self._rows, job, holder)
        stopping.running.add(job.must_end)
        try:
            with desk.kept():
                self._do(job, desk, stored.session)
        finally:
            stopping.running.discard(job.must_end)
        return True

    def _do(self, job: VideoJob, desk: ClaimedVideo, noted: str | None) -> None:
        if noted is not None:  # all but the last word was said of it
            desk.finish(job, noted, table=job.new.folder / "table.csv", annotated=None, remarks=job.remarks)
        elif job.tries > MAX_TRIES:
            desk.fail(job, InternalError(f"{MAX_TRIES} workers broke down while they had this video."))
        elif not job.new.source.exists():
            desk.fail(
                job, InternalError("The workers do not find this video's file. Their host should look.")
            )
        else:
            for draft in job.new.folder.glob(".draft-*"):  # of a worker that was killed
                draft.unlink(missing_ok=True)
            VideoWork(desk, self._tools, self._store).do(job)

"""The server's part for videos: where their files lie, who waits, and the thread that analyses them."""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fer_web.analysis.videos.job_rules import JobLimits
from fer_web.analysis.videos.job_store import JobStore, NoJobStore, StoredJob
from fer_web.analysis.videos.scratch import ScratchFolder
from fer_web.analysis.videos.video_job import JobView, NewVideo
from fer_web.analysis.videos.video_jobs import VideoQueue
from fer_web.analysis.videos.video_worker import SessionStore, VideoTools, VideoWorker


class VideoJobs(Protocol):
    """What clients ask of a queue; see VideoQueue. All but `client_keys` may block."""

    def slot_for(self, owner: str, client_key: str = "") -> contextlib.AbstractContextManager[None]: ...
    def submit(self, new: NewVideo) -> JobView: ...
    def list_of(self, owner: str | None) -> list[JobView]: ...
    def get(self, job_id: str, owner: str | None) -> JobView: ...
    def waiting(self) -> Counter[str]: ...
    def client_keys(self) -> set[str]: ...
    def cancel_of(self, client_keys: Collection[str]) -> int: ...
    def remove(self, job_id: str, owner: str | None) -> None: ...
    def expire(self) -> None: ...


class Videos(Protocol):
    """The server's part for videos, whoever analyses them."""

    @property
    def scratch(self) -> ScratchFolder: ...
    @property
    def jobs(self) -> VideoJobs: ...
    def open(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class VideoService:
    """Opened with the server, stopped with it."""

    scratch: ScratchFolder
    jobs: VideoQueue
    worker: VideoWorker
    store: JobStore

    def open(self) -> None:
        """Make room for files, take up what an earlier server left, and start to work.

        Raises: SetupError: the data folder takes none. DatabaseError.
        """
        stored: list[StoredJob] = []

        def wanted(place: str) -> list[str]:
            stored.extend(self.store.load(place))
            return [job.folder for job in stored]

        found = self.scratch.open(wanted)
        self.jobs.restore(stored, found)
        self.worker.open()

    def stop(self) -> None:
        """End the work, and remove the files that no job needs."""
        self.worker.stop()
        self.scratch.close(() if isinstance(self.store, NoJobStore) else self.jobs.folders())


def build_video_service(
    data_dir: Path,
    tools: VideoTools,
    store: SessionStore,
    limits: JobLimits | None = None,
    jobs_kept: JobStore | None = None,
    waiting_elsewhere: Callable[[], Counter[str]] = Counter,
) -> VideoService:
    """A service whose files are in `data_dir`; nothing is opened yet.

    Args: jobs_kept: where its jobs outlive it; None is nowhere. waiting_elsewhere: see VideoQueue.
    """
    kept = jobs_kept or NoJobStore()
    jobs = VideoQueue(remove_folder, limits, store=kept, waiting_elsewhere=waiting_elsewhere)
    return VideoService(ScratchFolder(data_dir), jobs, VideoWorker(jobs, tools, store), kept)


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it, as far as it can be; blocks."""
    shutil.rmtree(folder, ignore_errors=True)

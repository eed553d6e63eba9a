"""The server's part for videos where workers of other processes analyse them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from fer_web.analysis.videos.job_rules import JobLimits
from fer_web.analysis.videos.scratch import ScratchFolder
from fer_web.analysis.videos.shared_queue import SharedVideoQueue
from fer_web.analysis.videos.shared_rows import SharedRows
from fer_web.analysis.videos.work_queue import Bell


@dataclass(frozen=True)
class SharedVideoService:
    """Opened with the server, stopped with it; what it has stays in the database and the folder."""

    scratch: ScratchFolder
    jobs: SharedVideoQueue
    bell: Bell

    def open(self) -> None:
        """Start to tell workers of what waits. Raises DatabaseError."""
        self.jobs.expire()
        self.bell.open()

    def stop(self) -> None:
        """Tell them no more."""
        self.bell.stop()


def build_shared_video_service(
    files: Path,
    engine: Engine,
    url: str,
    limits: JobLimits | None = None,
    waiting_elsewhere: Callable[[], Counter[str]] = Counter,
) -> SharedVideoService:
    """A service with this folder, which all servers and workers have.

    Args: url: of the Redis by which workers are told. waiting_elsewhere: see SharedVideoQueue.
    Raises: SetupError: the folder cannot be used, or a package is missing.
    """
    scratch = ScratchFolder(files)
    root = scratch.open_shared()
    place = scratch.place()
    rows = SharedRows(engine, place)
    bell: Bell
    queue = SharedVideoQueue(rows, root, lambda: bell.ring(), limits, waiting_elsewhere)
    bell = Bell(url, place, queue.look)
    return SharedVideoService(scratch, queue, bell)

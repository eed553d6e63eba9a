"""The server's part for videos: where their files lie, who waits, and the thread that analyses them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from fer_web.analysis.videos.scratch import ScratchFolder
from fer_web.analysis.videos.video_jobs import JobLimits, VideoQueue
from fer_web.analysis.videos.video_worker import SessionStore, VideoTools, VideoWorker


@dataclass(frozen=True)
class VideoService:
    """Opened with the server, stopped with it."""

    scratch: ScratchFolder
    jobs: VideoQueue
    worker: VideoWorker

    def open(self) -> None:
        """Make room for files and start to work. Raises SetupError: the data folder takes none."""
        self.scratch.open()
        self.worker.open()

    def stop(self) -> None:
        """End the work, and remove all files."""
        self.worker.stop()
        self.scratch.close()


def build_video_service(
    data_dir: Path, tools: VideoTools, store: SessionStore, limits: JobLimits | None = None
) -> VideoService:
    """A service whose files are in `data_dir`; nothing is opened yet."""
    jobs = VideoQueue(remove_folder, limits)
    return VideoService(ScratchFolder(data_dir), jobs, VideoWorker(jobs, tools, store))


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it, as far as it can be; blocks."""
    shutil.rmtree(folder, ignore_errors=True)

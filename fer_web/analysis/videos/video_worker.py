"""The thread that analyses uploaded videos, one at a time, and gives way to live streams."""

import contextlib
import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from fer_web.analysis.disk_space import FULL_DISK, is_full
from fer_web.analysis.videos.scratch import MIN_FREE_BYTES
from fer_web.analysis.videos.video import AnalysedFrame, VideoSamples, analyse_video
from fer_web.analysis.videos.video_encoders import choose_form
from fer_web.analysis.videos.video_job import VideoJob
from fer_web.analysis.videos.video_jobs import VideoQueue
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.analysis.videos.video_run import VideoOutputs, VideoRun
from fer_web.errors import DiskFullError, FerWebError, InternalError
from fer_web.history.types import SampleTable, Session
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.pipeline import Pipeline, StreamState

NICENESS: Final = 10
"""This thread, and those it starts, stand this far behind the others (Linux)."""

STOP_TIMEOUT_S: Final = 3.0
_MODE: Final = 0o600
_log = logging.getLogger(__name__)


class SessionStore(Protocol):
    """A store does what the worker needs of the history."""

    def import_session(self, session: Session, owner: str, tables: Iterable[SampleTable]) -> Session: ...
    def delete_session(self, session_id: str, owner: str | None) -> None: ...


@dataclass(frozen=True)
class VideoTools:
    """A video is analysed with these. The worker's thread calls `open_pipeline` anew for each."""

    limits: VideoLimits
    model: ModelInfo
    record_hz: float
    smoothing_s: float
    open_pipeline: Callable[[], tuple[Pipeline, StreamState]]


class _CancelledError(Exception):
    """The job must end."""


class Desk(Protocol):
    """A desk is told how a job goes; see VideoQueue's verbs of the same names."""

    def progress(self, job: VideoJob, frames: int, total: int | None, faces: int) -> None: ...
    def note_session(self, job: VideoJob, session: str) -> None: ...
    def finish(
        self, job: VideoJob, session: str, *, table: Path, annotated: Path | None, remarks: tuple[str, ...]
    ) -> bool: ...
    def cancelled(self, job: VideoJob) -> None: ...
    def fail(self, job: VideoJob, error: FerWebError) -> None: ...


class VideoWorker:
    """Takes jobs until the queue stops."""

    def __init__(self, jobs: VideoQueue, tools: VideoTools, store: SessionStore) -> None:
        self._jobs = jobs
        self._work = VideoWork(jobs, tools, store)
        self._thread = threading.Thread(target=self._run, name="video-worker", daemon=True)

    def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the job that runs, and the thread; gives up after STOP_TIMEOUT_S."""
        self._jobs.stop()
        self._thread.join(STOP_TIMEOUT_S)
        if self._thread.is_alive():
            _log.error("A video could not be left in time; nothing of it was stored.")

    def _run(self) -> None:
        stand_behind()
        while (job := self._jobs.next()) is not None:
            try:
                self._work.do(job)
            except Exception:
                _log.exception("A video's end could not be written down; the next one comes")


class VideoWork:
    """How one job is done, by whichever thread or process."""

    def __init__(self, desk: Desk, tools: VideoTools, store: SessionStore) -> None:
        self._jobs = desk
        self._tools = tools
        self._store = store

    def do(self, job: VideoJob) -> None:
        """Analyse it, and say how it ended; blocks. Raises DatabaseError where that cannot be said."""
        try:
            self._analyse(job)
        except _CancelledError:
            self._jobs.cancelled(job)
        except FerWebError as exc:
            self._jobs.fail(job, exc)
        except OSError as exc:
            self._jobs.fail(job, _own_error(exc))
        except Exception:
            _log.exception("A video could not be analysed")
            self._jobs.fail(job, InternalError("The server failed on this video. Its log says why."))

    def _analyse(self, job: VideoJob) -> None:
        tools, folder = self._tools, job.new.folder
        form = choose_form(None) if job.new.wants_annotated else None
        annotated = folder / f"annotated{form.suffix}" if form else None
        check = _Checks(job)
        outputs = VideoOutputs(
            csv=folder / "table.csv", annotated=annotated, form=form, mode=_MODE, check=check
        )
        with VideoReader(job.new.source, tools.limits, job.new.part) as reader:
            run = self._run_of(job, reader)
            pipeline, state = tools.open_pipeline()
            frames = analyse_video(reader, pipeline, state)
            total = reader.frames
            run.write(frames, outputs, lambda items: self._watched(job, run.samples, total, items, check))
        self._store_session(job, run, outputs, (*reader.remarks, *state.tracker.remarks))

    def _run_of(self, job: VideoJob, reader: VideoReader) -> VideoRun:
        name = job.new.name
        return VideoRun(
            reader,
            job.new.source,
            name=name,
            file_name=name,
            model=self._tools.model,
            record_hz=self._tools.record_hz,
            smoothing_s=self._tools.smoothing_s,
        )

    def _watched(
        self,
        job: VideoJob,
        samples: VideoSamples,
        total: int | None,
        frames: Iterable[AnalysedFrame],
        check: Callable[[], None],
    ) -> Iterator[AnalysedFrame]:
        """The frames, while they are counted. Raises what `check` raises."""
        self._jobs.progress(job, 0, total, 0)
        for frame in frames:
            check()
            yield frame
            self._jobs.progress(job, samples.frames, total, samples.faces)

    def _store_session(
        self, job: VideoJob, run: VideoRun, outputs: VideoOutputs, remarks: tuple[str, ...]
    ) -> None:
        _check(job)
        stored = self._store.import_session(run.session(), job.new.owner, [run.samples.table()])
        # Where the server ends here, the next one knows that it is done.
        self._jobs.note_session(job, stored.id)
        # Its space may be needed, and it is not ours to keep.
        job.new.source.unlink()
        table, annotated = outputs.csv or Path(), outputs.annotated
        if not self._jobs.finish(job, stored.id, table=table, annotated=annotated, remarks=remarks):
            with contextlib.suppress(FerWebError):
                self._store.delete_session(stored.id, None)
            raise _CancelledError


class _Checks:
    """These checks tell whether a job may go on; they are called for each frame."""

    def __init__(self, job: VideoJob) -> None:
        self._job, self._calls = job, 0

    def __call__(self) -> None:
        """Raises _CancelledError. DiskFullError: results are about to take what the disk needs itself."""
        _check(self._job)
        self._calls += 1
        if self._calls % 30 == 1 and shutil.disk_usage(self._job.new.folder).free < MIN_FREE_BYTES:
            raise DiskFullError(FULL_DISK)


def _check(job: VideoJob) -> None:
    if job.must_end.is_set():
        raise _CancelledError


def _own_error(exc: OSError) -> FerWebError:
    if is_full(exc):
        return DiskFullError(FULL_DISK)
    _log.exception("A video could not be analysed")
    return InternalError("The server could not read or write a file for this video. Its log says why.")


def stand_behind() -> None:
    """Give this thread a lower priority, which Linux counts for each thread; others would slow all down."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

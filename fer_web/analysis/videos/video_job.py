"""One video that was sent: what it is, how it is seen and stored, and how it is taken up again."""

import datetime
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from fer_web.analysis.videos.job_store import StoredJob
from fer_web.analysis.videos.video_part import VideoPart
from fer_web.errors import FerWebError, InternalError

JobState = Literal["queued", "running", "finished", "failed", "cancelled"]

SOURCE: Final = "source"
"""Name of the video's own file in its folder."""


@dataclass(frozen=True)
class NewVideo:
    """A video that came: `folder` is its own, `source` the file in it.

    `client_key`: which client sent it, however many owners they are. `part`: what of it is analysed.
    """

    owner: str
    name: str
    folder: Path
    source: Path
    wants_annotated: bool = False
    client_key: str = ""
    part: VideoPart = field(default_factory=VideoPart)


@dataclass
class VideoJob:
    """One video. The queue's lock guards what changes; whoever works on it changes it through the queue.

    Attributes:
        started_s, ended_s: by the queue's clock.
        session: its id in the history, when it is there.
        noted: the same, from when it is stored until it is finished.
        table, annotated: the files that can be had.
        tries: workers that have begun it, and did not give it back.
        must_end: set where it is cancelled, or the server stops.
    """

    id: str
    new: NewVideo
    number: int
    created_at: datetime.datetime
    state: JobState = "queued"
    frames: int = 0
    frames_total: int | None = None
    faces: int = 0
    started_s: float | None = None
    ended_s: float | None = None
    session: str | None = None
    noted: str | None = None
    error: FerWebError | None = None
    remarks: tuple[str, ...] = ()
    table: Path | None = None
    annotated: Path | None = None
    bytes_kept: int = 0
    tries: int = 0
    must_end: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class JobView:
    """A job at one moment; see VideoJob.

    Attributes:
        position: 1 for the next one; None unless it is queued.
        progress: 0-1, None where nobody knows. eta_s: seconds that are left, None likewise.
        fps: frames analysed a second, 0 before the first.
    """

    id: str
    name: str
    state: JobState
    position: int | None
    frames: int
    frames_total: int | None
    progress: float | None
    eta_s: float | None
    faces: int
    fps: float
    session: str | None
    error: dict[str, Any] | None
    remarks: tuple[str, ...]
    table: Path | None
    annotated: Path | None
    created_at: datetime.datetime


def view_of(job: VideoJob, position: int | None, now_s: float) -> JobView:
    """A job as it is now. Args: now_s: by the clock of its times."""
    past_s = 0.0
    if job.started_s is not None:
        past_s = (now_s if job.ended_s is None else job.ended_s) - job.started_s
    fps = job.frames / past_s if past_s > 0 else 0.0
    return JobView(
        id=job.id,
        name=job.new.name,
        state=job.state,
        position=position,
        frames=job.frames,
        frames_total=job.frames_total,
        progress=_progress(job),
        eta_s=_eta_s(job, fps),
        faces=job.faces,
        fps=fps,
        session=job.session,
        error=job.error.to_wire() if job.error else None,
        remarks=job.remarks,
        table=job.table,
        annotated=job.annotated,
        created_at=job.created_at,
    )


def _progress(job: VideoJob) -> float | None:
    if job.state == "finished":
        return 1.0
    # Headers count roughly: done is only what is stored.
    return min(0.999, job.frames / job.frames_total) if job.frames_total else None


def _eta_s(job: VideoJob, fps: float) -> float | None:
    if job.state != "running" or not job.frames_total or not fps:
        return None
    return max(0.0, job.frames_total - job.frames) / fps


def stored_of(job: VideoJob, now_s: float) -> StoredJob:
    """A job as its row. Args: now_s: by the clock of its times, which no other process knows."""
    return StoredJob(
        id=job.id,
        folder=job.new.folder.name,
        owner=job.new.owner,
        client_key=job.new.client_key,
        name=job.new.name,
        wants_annotated=job.new.wants_annotated,
        state=job.state,
        created_s=job.created_at.timestamp(),
        ended_s=None if job.ended_s is None else time.time() - (now_s - job.ended_s),
        session=job.session or job.noted,
        told=told_of(job),
    )


def told_of(job: VideoJob) -> dict[str, Any]:
    """What a row says of a job beside its columns."""
    return {
        "frames": job.frames,
        "frames_total": job.frames_total,
        "faces": job.faces,
        "took_s": 0.0 if job.ended_s is None else job.ended_s - (job.started_s or job.ended_s),
        "remarks": list(job.remarks),
        "error": job.error.to_wire() if job.error else None,
        "bytes_kept": job.bytes_kept,
        "tries": job.tries,
        "part": asdict(job.new.part),
    }


def restored(stored: StoredJob, folder: Path | None, now_s: float) -> VideoJob:
    """The job of a row, as it goes on.

    Args:
        folder: where its files are now; None where they are gone.
        now_s: as `stored_of`.
    Returns: one that waited or ran waits, unless its result is stored, or its video is gone: that one failed.
    """
    here = folder or Path(stored.folder)
    job = _waiting(stored, here)
    new = job.new
    if stored.state in ("queued", "running") and stored.session is None:
        if not new.source.exists():
            job.state, job.ended_s = "failed", now_s
            job.error = InternalError(_GONE)
        return job
    told = stored.told
    is_finished = stored.session is not None
    job.state = "finished" if is_finished else "failed"
    job.session = stored.session
    _take_told(job, told)
    ended_s = time.time() if stored.ended_s is None else stored.ended_s
    job.ended_s = now_s - max(0.0, time.time() - ended_s)
    job.started_s = job.ended_s - told["took_s"]
    if is_finished:
        job.table, job.annotated = _file(here, "table.*"), _file(here, "annotated.*")
        job.bytes_kept = sum(path.stat().st_size for path in (job.table, job.annotated) if path)
    return job


def job_at(stored: StoredJob, folder: Path, started_s: float | None) -> VideoJob:
    """The job of a row as it is, with times since 1970. Args: started_s: when a worker took it last."""
    job = _waiting(stored, folder)
    job.state = stored.state  # type: ignore[assignment]
    _take_told(job, stored.told)
    job.started_s, job.ended_s = started_s, stored.ended_s
    # Rows of older servers do not say these.
    job.bytes_kept, job.tries = stored.told.get("bytes_kept", 0), stored.told.get("tries", 0)
    if stored.state == "finished":
        job.session = stored.session
        job.table, job.annotated = _file(folder, "table.*"), _file(folder, "annotated.*")
    return job


def _waiting(stored: StoredJob, folder: Path) -> VideoJob:
    new = NewVideo(
        stored.owner,
        stored.name,
        folder,
        folder / SOURCE,
        wants_annotated=stored.wants_annotated,
        client_key=stored.client_key,
        part=VideoPart(**stored.told.get("part", {})),
    )
    return VideoJob(stored.id, new, 0, datetime.datetime.fromtimestamp(stored.created_s, datetime.UTC))


def _take_told(job: VideoJob, told: dict[str, Any]) -> None:
    job.frames, job.frames_total, job.faces = told["frames"], told["frames_total"], told["faces"]
    job.remarks = tuple(told["remarks"])
    job.error = None if told["error"] is None else ToldError(told["error"])


_GONE: Final = "The server ended while it had this video, and the file is gone. Send it again."


class ToldError(FerWebError):
    """An error as an earlier server told it."""

    def __init__(self, wire: dict[str, Any]) -> None:
        super().__init__(wire["message"])
        self.code, self.retryable = wire["code"], wire["retryable"]


def _file(folder: Path, pattern: str) -> Path | None:
    return next(iter(sorted(folder.glob(pattern))), None)

"""Videos of a command that workers analyse: what goes into the database, and what comes back.

To the command it looks like the process of video_program.py: orders go in, lines of JSON come out.
"""

import contextlib
import dataclasses
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from fer_web.analysis.videos.job_store import StoredJob
from fer_web.analysis.videos.shared_claim import Lease
from fer_web.analysis.videos.shared_rows import SharedJob, SharedRows, forget_older
from fer_web.analysis.videos.shared_worker import MAX_TRIES, Stopping
from fer_web.analysis.videos.video import AnalysedFrame
from fer_web.analysis.videos.work_queue import RUNS, Bell
from fer_web.commands.analysis_options import VIDEO_SETTINGS
from fer_web.commands.video_analysis import VideoTask, analyse_task, open_pipeline
from fer_web.errors import FerWebError
from fer_web.history.repository import HistoryRepository
from fer_web.settings import Settings

AT_ONCE: Final = 16
"""Videos that a command has with the workers at the same time; each has a thread that listens."""

LEFT_S: Final = 7 * 24 * 3600.0
"""What a command that was killed has left in the database is forgotten after so long."""

_LOOK_S: Final = 0.3
_SILENCE_S: Final = 15.0


class _EndedError(Exception):
    """The video shall be left."""


def run_next_of_command(rows: SharedRows, settings: Settings, stopping: Stopping) -> bool:
    """Analyse the next video of a command, for a worker; False where none waits. Raises DatabaseError."""
    holder = secrets.token_hex(12)
    stored = None if stopping.is_set else rows.claim(holder, _oldest_first)
    if stored is None:
        return False
    must_end = threading.Event()
    order = stored.told["order"]
    told = {"order": order, "frames": 0, "total": None, "tries": stored.told.get("tries", 0) + 1}
    lease = Lease(rows, stored.id, holder, must_end)
    stopping.running.add(must_end)
    try:
        with lease.kept(told):
            told = _outcome(order, settings, told, lease, must_end)
        rows.end(stored.id, holder, "finished", told, None)
    except _EndedError:
        rows.release(stored.id, holder, {**told, "frames": 0, "tries": told["tries"] - 1})
    finally:
        stopping.running.discard(must_end)
    return True


def _outcome(
    order: dict[str, Any], settings: Settings, told: dict[str, Any], lease: Lease, must_end: threading.Event
) -> dict[str, Any]:
    def watch(frames: Iterable[AnalysedFrame], total: int | None) -> Iterator[AnalysedFrame]:
        for count, frame in enumerate(frames, 1):
            if must_end.is_set():
                raise _EndedError
            yield frame
            lease.told = {**told, "frames": count, "total": total}

    if told["tries"] > MAX_TRIES:
        return {**told, "error": f"{MAX_TRIES} workers broke down while they had this video."}
    try:
        sent = dataclasses.replace(settings, **_settings_from_wire(order["settings"]))
        found, _ = analyse_task(VideoTask(**order["task"]), sent, open_pipeline(sent), watch)
        return {**lease.told, "found": found.to_wire()}
    except FerWebError as exc:
        return {**told, "error": str(exc)}
    except OSError as exc:
        if must_end.is_set():  # the command has ended, and its folder is gone
            raise _EndedError from exc
        return {**told, "error": f"{exc.filename or 'The file'}: {exc.strerror or exc}."}


def _oldest_first(rows: list[SharedJob]) -> list[SharedJob]:
    return [row for row in rows if row.is_free]


@dataclass
class WorkerRun:
    """A command's place in the database, and the bell that tells workers of it."""

    rows: SharedRows
    bell: Bell
    settings: Settings
    _last_word_s: float = field(default_factory=time.monotonic)
    _is_told: bool = False

    def start(self) -> "RemoteProgram":
        """What takes one video after the other."""
        return RemoteProgram(self)

    def heard(self, is_begun: bool) -> None:
        """Say once that no worker is there, where nothing was begun for a while."""
        if is_begun:
            self._last_word_s = time.monotonic()
        elif time.monotonic() - self._last_word_s > _SILENCE_S and not self._is_told:
            self._is_told = True
            print(
                "fer-web: no worker has begun a video yet. Start one: python -m fer_web worker --help",
                file=sys.stderr,
            )


@contextlib.contextmanager
def worker_run(settings: Settings, history: HistoryRepository) -> Iterator[WorkerRun]:
    """Within this, workers may be given videos; what they have not done by its end is left.

    Raises: SetupError: a package is missing. DatabaseError.
    """
    engine: Engine = history.engine
    forget_older(engine, RUNS, LEFT_S)
    place = RUNS + secrets.token_hex(8)
    rows = SharedRows(engine, place)
    bell = Bell(settings.job_workers, place, lambda: len(_oldest_first(rows.all())))
    bell.open()
    try:
        yield WorkerRun(rows, bell, settings)
    finally:
        bell.stop()
        rows.remove_all()


class RemoteProgram:
    """Stands where ChildProgram stands: a line that is written is a video, lines that are read tell of it."""

    def __init__(self, run: WorkerRun) -> None:
        self._run = run
        self._changed = threading.Condition()
        self._job: str | None = None
        self._is_ended = False
        self.stdin = _Orders(self._take)
        self.stdout = self._lines()

    def kill(self) -> None:
        """Take back what was not done."""
        with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """As kill."""
        self.kill()

    def _take(self, line: bytes) -> None:
        order = json.loads(line)
        if "source" not in order:
            return  # the settings: each video has them
        task = {
            name: path if path is None else str(Path(path).resolve())
            for name, path in order.items()
            if name in ("source", "csv", "json", "annotated")
        }
        sent = {name: _to_wire(getattr(self._run.settings, name)) for name in VIDEO_SETTINGS}
        told = {"order": {"task": {**order, **task}, "settings": sent}, "frames": 0, "total": None}
        job = StoredJob(
            secrets.token_hex(12), "", "", "", order["name"], False, "queued", time.time(), told=told
        )
        self._run.rows.add(job)
        self._run.bell.ring()
        with self._changed:
            self._job = job.id
            self._changed.notify_all()

    def _lines(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._job or self._is_ended)
                job_id = self._job
                if job_id is None or self._is_ended:
                    return
                self._changed.wait(_LOOK_S)
            yield from self._news(job_id)

    def _news(self, job_id: str) -> Iterator[bytes]:
        stored = self._run.rows.get(job_id)
        if stored is None:
            return
        told = stored.told
        self._run.heard(stored.state != "queued")
        yield json.dumps({"frames": told["frames"], "total": told["total"]}).encode()
        if stored.state != "finished":
            return
        with self._changed:
            self._job = None
        self._run.rows.remove(job_id)
        yield json.dumps({name: told[name] for name in ("found", "error") if name in told}).encode()


@dataclass
class _Orders:
    """What is written to a RemoteProgram."""

    write: Callable[[bytes], None]


def _to_wire(value: Any) -> Any:
    return {"path": str(value.resolve())} if isinstance(value, Path) else value


def _settings_from_wire(told: dict[str, Any]) -> dict[str, Any]:
    return {name: Path(value["path"]) if isinstance(value, dict) else value for name, value in told.items()}

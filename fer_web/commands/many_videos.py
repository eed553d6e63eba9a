"""Many videos at once: processes that analyse them, one display, one table, and what was done before."""

import contextlib
import dataclasses
import json
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from fer_web.analysis.videos.child_program import ChildProgram
from fer_web.analysis.videos.video_journal import VideoJournal
from fer_web.commands.video_analysis import VideoSummary, VideoTask, describe, file_name_of
from fer_web.commands.video_program import path_to_wire
from fer_web.metrics.text_tables import percent
from fer_web.settings import Settings

_MODULE: Final = "fer_web.commands.video_program"
_LOOK_S: Final = 0.2
_COLUMNS: Final = ("video", "frames", "length", "faces", "seen in", "most often")


@dataclass(frozen=True)
class ManyOutputs:
    """Where results go; None stands for those not wanted. `folder` gets files while they are made."""

    folder: Path
    csv: Path | None = None
    json: Path | None = None
    annotated: Path | None = None
    to_history: bool = False
    force: bool = False


class Program(Protocol):
    """A program takes orders as lines of JSON, and answers likewise; see ChildProgram."""

    @property
    def stdin(self) -> Any: ...
    @property
    def stdout(self) -> Any: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


def start_process() -> Program:
    """A process that analyses one video after the other."""
    return ChildProgram(_MODULE, {})


@dataclass
class _Running:
    """A process and the video that it has."""

    program: Program
    task: VideoTask | None = None
    frames: int = 0
    total: int | None = None
    listener: threading.Thread | None = None

    def close(self) -> None:
        """End the process and all that was started for it."""
        self.program.kill()
        if self.listener:
            self.listener.join()
        self.program.close()


@dataclass
class Progress:
    """How far all videos are.

    Attributes: done, files: videos. frames: analysed now. share: of all work, 0-1. past_s: since the start.
    """

    files: int
    done: int = 0
    frames: int = 0
    share: float = 0.0
    past_s: float = 0.0
    skipped: int = 0

    @property
    def fps(self) -> float:
        """Frames analysed a second."""
        return self.frames / self.past_s if self.past_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds that are left, None where nobody can tell yet."""
        new = self.share - self.skipped / self.files
        return self.past_s * (1 - self.share) / new if new > 0.001 else None


@dataclass
class ManyVideos:
    """Analyses videos, each once, in `jobs` processes.

    Attributes:
        start_program: starts such a process, or what stands for it.
        store: puts an exported session into the history. show: gets the progress again and again.
        check: raises where it shall end. tell: gets a text for each video that ends.
        found, failed: results and reasons by video, those of earlier runs among them.
    """

    settings: Settings
    outputs: ManyOutputs
    journal: VideoJournal | None
    jobs: int
    store: Callable[[Path], str]
    show: Callable[[Progress], None]
    check: Callable[[], None]
    tell: Callable[[str], None]
    start_program: Callable[[], Program] = start_process
    found: dict[str, VideoSummary] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: int = 0

    def run(self, sources: list[Path], part: dict[str, Any]) -> None:
        """Analyse all that is not done. What was begun when this is left early leaves nothing."""
        waiting = [source for source in sources if not self._was_done(source)]
        self._taken = self.journal.names() if self.journal else set()
        self._progress = Progress(len(sources), self.skipped, skipped=self.skipped)
        self._started, self._frames_done = time.perf_counter(), 0
        self._running: list[_Running] = []
        self._events: queue.Queue[tuple[_Running, dict[str, Any] | None]] = queue.Queue()
        work = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.outputs.folder))
        try:
            tasks = iter([self._task(source, part, work) for source in waiting])
            for _ in range(min(self.jobs, len(waiting))):
                self._give(self._start(), tasks)
            while any(each.task for each in self._running):
                self._turn(tasks)
        finally:
            for each in self._running:
                each.close()
            shutil.rmtree(work, ignore_errors=True)

    def _was_done(self, source: Path) -> bool:
        entry = self.journal.entry(source) if self.journal else None
        if entry:
            self.found[str(source)] = VideoSummary.from_wire(entry["found"])
            self.skipped += 1
        return bool(entry)

    def _task(self, source: Path, part: dict[str, Any], work: Path) -> VideoTask:
        folder = Path(tempfile.mkdtemp(dir=work))
        wants_json = self.outputs.json or self.outputs.to_history
        return VideoTask(
            source=str(source),
            name=file_name_of(source, str(source)),
            csv=str(folder / "rows.csv") if self.outputs.csv else None,
            json=str(folder / "session.json") if wants_json else None,
            annotated=str(folder / "faces.mp4") if self.outputs.annotated else None,
            **part,
        )

    def _start(self) -> _Running:
        running = _Running(self.start_program())
        self._running.append(running)
        running.listener = threading.Thread(target=self._listen, args=(running,), daemon=True)
        running.listener.start()
        self._send(running, dataclasses.asdict(self.settings))
        return running

    def _listen(self, running: _Running) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            for line in running.program.stdout:
                self._events.put((running, json.loads(line)))
        self._events.put((running, None))

    def _give(self, running: _Running, tasks: Iterator[VideoTask]) -> None:
        running.task, running.frames, running.total = next(tasks, None), 0, None
        if running.task:
            self._send(running, dataclasses.asdict(running.task))

    def _send(self, running: _Running, what: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it has ended, and is heard of so
            running.program.stdin.write(json.dumps(what, default=path_to_wire).encode() + b"\n")

    def _turn(self, tasks: Iterator[VideoTask]) -> None:
        self.check()
        with contextlib.suppress(queue.Empty):
            running, told = self._events.get(timeout=_LOOK_S)
            if told is None:
                self._lost(running, tasks)
            elif "frames" in told:
                running.frames, running.total = told["frames"], told["total"]
            elif running.task:
                self._ended(running.task, told)
                self._frames_done += running.frames
                self._give(running, tasks)
        self._note_progress()

    def _lost(self, running: _Running, tasks: Iterator[VideoTask]) -> None:
        """A process is gone: its video failed, and another process takes over."""
        self._running.remove(running)
        running.close()
        if running.task:
            self._ended(running.task, {"error": "Its process broke down: the video or a model is damaged."})
            self._give(self._start(), tasks)

    def _ended(self, task: VideoTask, told: dict[str, Any]) -> None:
        source = Path(task.source)
        self._progress.done += 1
        if "error" in told:
            self.failed[task.source] = told["error"]
            self.tell(f"{source}: not analysed: {told['error']}")
            return
        found = VideoSummary.from_wire(told["found"])
        self.found[task.source] = found
        text = describe(source, found)
        if self.outputs.to_history and task.json:
            text += f"\n  stored as session {self.store(Path(task.json))}"
        files = self._placed(task, source)
        if self.journal:
            if task.csv:
                self.journal.append_rows(Path(task.csv))
            self.journal.add(source, found.to_wire(), files)
        self.tell("\n".join([text, *(f"  {remark}" for remark in found.remarks)]))

    def _placed(self, task: VideoTask, source: Path) -> list[str]:
        """Put a video's own files where they belong; returns their names."""
        files = []
        for made, folder, ending in (
            (task.json, self.outputs.json, ".json"),
            (task.annotated, self.outputs.annotated, "-faces.mp4"),
        ):
            if made and folder:
                target = self._free_name(folder, source.stem, ending)
                shutil.move(made, target)
                files.append(str(target))
        return files

    def _free_name(self, folder: Path, stem: str, ending: str) -> Path:
        number, target = 1, folder / f"{stem}{ending}"
        while self._is_taken(target):
            number += 1
            target = folder / f"{stem}-{number}{ending}"
        self._taken.add(str(target))
        return target

    def _is_taken(self, target: Path) -> bool:
        if str(target).lower() in {name.lower() for name in self._taken}:
            return True
        return target.exists() and not self.outputs.force

    def _note_progress(self) -> None:
        progress, now = self._progress, 0.0
        for each in self._running:
            if each.task and each.total:
                now += min(1.0, each.frames / each.total)
        progress.frames = self._frames_done + sum(each.frames for each in self._running if each.task)
        progress.share = (progress.done + now) / progress.files
        progress.past_s = time.perf_counter() - self._started
        self.show(progress)


def summary_table(found: dict[str, VideoSummary], failed: dict[str, str]) -> str:
    """A row for each video, and one for all of them."""
    rows = [_COLUMNS, *(_row(name, each) for name, each in found.items())]
    rows += [(name, "not analysed", "", "", "", "") for name in failed]
    if len(found) > 1:
        rows.append(_row("all", _sum_of(list(found.values()))))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in rows
    )


def _row(name: str, found: VideoSummary) -> tuple[str, ...]:
    seen = percent(found.frames_with_faces / found.frames) if found.frames else "-"
    most = f"{found.shares[0][0]} {percent(found.shares[0][1])}" if found.shares else "no face"
    return name, str(found.frames), f"{found.length_s:.1f} s", str(found.faces), seen, most


def _sum_of(found: list[VideoSummary]) -> VideoSummary:
    labels: dict[str, int] = {}
    for each in found:
        for name, count in each.labels.items():
            labels[name] = labels.get(name, 0) + count
    return dataclasses.replace(
        found[0],
        frames=sum(each.frames for each in found),
        length_s=sum(each.length_s for each in found),
        faces=sum(each.faces for each in found),
        frames_with_faces=sum(each.frames_with_faces for each in found),
        labels=labels,
    )


@contextlib.contextmanager
def shown_progress() -> Iterator[tuple[Callable[[Progress], None], Callable[[str], None]]]:
    """What shows the progress of all videos, on standard error if it is a terminal, and what prints texts."""
    if not sys.stderr.isatty():
        yield lambda _progress: None, lambda text: print(text, flush=True)
        return
    # Imported here: without a terminal it is not needed.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def show(progress: Progress) -> None:
            left = "" if progress.left_s is None else f", {_clock(progress.left_s)} left"
            text = f"{progress.done} of {progress.files} videos, {progress.fps:.0f} frames/s{left}"
            bar.update(task, completed=progress.share, description=text)

        yield show, lambda text: print(text, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

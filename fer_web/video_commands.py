"""python -m fer_web video: the expressions in a video, frame by frame."""

import argparse
import contextlib
import datetime
import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import cv2

from fer_web.analysis.annotated_video import AnnotatedVideo
from fer_web.analysis.draft_files import draft_of
from fer_web.analysis.text_tables import percent
from fer_web.analysis.video import AnalysedFrame, VideoSamples, analyse_video, frame_table
from fer_web.analysis.video_encoders import SUFFIXES, VideoForm, choose_form
from fer_web.analysis.video_kinds import KINDS
from fer_web.analysis.video_reader import VideoLimits, VideoReader
from fer_web.analysis_commands import MODEL_SETTINGS
from fer_web.command_line import parser_with_examples
from fer_web.errors import FileUnreadableError, InvalidValueError
from fer_web.history.export import csv_file, json_file
from fer_web.history.repository import open_history
from fer_web.history.texts import MAX_NAME, check_name
from fer_web.history.types import SampleTable, Session
from fer_web.history_commands import NO_BROWSER
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.models import Model, open_model, options_of
from fer_web.inference.pipeline import FrameLimits, Pipeline, StreamState
from fer_web.labels import EMOTIONS
from fer_web.settings import Settings, add_setting_options, settings_of
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import build_detector, resolve_detector
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker

_EXAMPLES: Final = """examples:
  python -m fer_web video clip.mp4
  python -m fer_web video clip.mp4 --out annotated --csv faces.csv
  python -m fer_web video clip.mp4 --to-history --name "First rehearsal"

Every frame is analysed. --csv has a row for each face of each frame, with the video's own times; --json and
--to-history hold a session as the live page records it (--record-hz samples a second), which
`python -m fer_web history import` and the history's pages read. --out needs ffmpeg on the PATH for H.264 and
sound; without it a folder gets MJPEG in .avi.
exit status: 0 the whole video was analysed, 1 it was not, or only up to where it is damaged, 2 wrong
arguments, 130 interrupted; then no file was written."""

SETTINGS: Final = (
    "model",
    *MODEL_SETTINGS,
    "detector",
    "max_faces",
    "smoothing_s",
    "search_interval_s",
    "record_hz",
    "max_video_pixels",
    "max_video_hours",
    "data_dir",
)
"""Settings that are options of this tool too."""


def add_video(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "video", help="name the expressions in a video", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_video)
    parser.add_argument("video", type=Path, metavar="IN", help=f"the video ({KINDS})")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="write the video with boxes and labels: a folder, which gets NAME-faces in the best form that "
        f"this machine has, or a file ({', '.join(SUFFIXES)})",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each face of each frame")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the session, as history exports it")
    parser.add_argument(
        "--to-history", action="store_true", help="store the session; the person at this machine sees it"
    )
    parser.add_argument("--name", help="the session's name (default: the file's)")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    add_setting_options(parser, SETTINGS)


def run_video(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Analyse a video; returns 1 where it ends before its time."""
    settings = settings_of(given, environment)
    with VideoReader(given.video, VideoLimits.from_settings(settings)) as reader:
        form, out = _annotated_file(given)
        _check_files(given, out)
        name = session_name(given)
        if given.to_history:
            _check_history(settings)
        started = time.perf_counter()
        model, pipeline, state = open_pipeline(settings)
        job = _Job(given, settings, reader, model.info, name)
        job.run(analyse_video(reader, pipeline, state), form, out)
        print(describe(given.video, reader, job.samples, time.perf_counter() - started))
        job.store()
        for remark in reader.remarks:
            print(f"fer-web: {given.video}: {remark}.", file=sys.stderr)
        return 0 if reader.is_complete else 1


@dataclass
class _Job:
    """One video on its way into files and the history."""

    given: argparse.Namespace
    settings: Settings
    reader: VideoReader
    model: ModelInfo
    name: str
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.samples = VideoSamples(self.settings.record_hz)
        self._started_at = datetime.datetime.now(datetime.UTC)

    def run(
        self, frames: Generator[AnalysedFrame, None, None], form: VideoForm | None, out: Path | None
    ) -> None:
        """Write all files, or none where anything fails."""
        given = self.given
        with contextlib.ExitStack() as stack:
            sinks: list[Callable[[AnalysedFrame], None]] = [self.samples.add]
            if given.csv:
                sinks.append(_csv_sink(given.csv, self.session(), stack))
            json_draft = stack.enter_context(draft_of(given.json)) if given.json else None
            if form and out:
                sinks.append(_video_sink(out, given.video, self.reader.fps, form, stack))
            _drive(frames, sinks, self.reader.frames)
            if json_draft:
                _write_parts(json_draft, json_file(self.session(), [self.samples.table()]))
        self.written = [str(path) for path in (given.csv, given.json) if path]
        self.written += [f"{out} ({form.description})"] if form else []

    def store(self) -> None:
        """Say what was written, and store the session where that was asked for."""
        if self.written:
            print(f"written: {', '.join(self.written)}")
        if self.given.to_history:
            print(f"stored as session {_store(self.settings, self.session(), self.samples.table())}")

    def session(self) -> Session:
        """The session as far as it is known."""
        return self.samples.session(
            name=self.name,
            started_at=self._started_at,
            length_s=self.samples.last_s + 1 / self.reader.fps,
            model=self.model,
            settings=_facts(self.given, self.settings, self.reader),
        )


def open_pipeline(settings: Settings) -> tuple[Model, Pipeline, StreamState]:
    """The model, a pipeline with it, and the memory of one video.

    Raises: FerWebError: a file is missing or does not fit.
    """
    cv2.setNumThreads(1)  # crops are too small to be worth a thread, and the decoder has its own
    model = open_model(settings.model, options_of(settings))
    for warning in model.warnings:
        print(f"{model.info.name}: {warning}.", file=sys.stderr)
    detector = build_detector(resolve_detector(settings.detector, BLAZEFACE_PATH), BLAZEFACE_PATH)
    limits = FrameLimits(settings.max_frame_bytes, settings.max_frame_pixels)
    tracker = FaceTracker(search_interval_s=settings.search_interval_s, max_faces=settings.max_faces)
    state = StreamState(tracker, ScoreSmoother(settings.smoothing_s))
    return model, Pipeline(detector, model.new_classifier(), limits), state


def session_name(given: argparse.Namespace) -> str:
    """The name that was given, or the file's. Raises InvalidValueError."""
    if given.name is not None:
        return check_name(given.name)
    text = given.video.name.encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:MAX_NAME].strip()


def describe(path: Path, reader: VideoReader, samples: VideoSamples, took_s: float) -> str:
    """What was found, as text."""
    height, width = reader.size_hw
    length = f"{samples.frames} frames, {samples.last_s + 1 / reader.fps:.1f} s, {width}x{height}"
    lines = [f"{path}: {length}; analysed in {took_s:.1f} s"]
    if not samples.frames_with_faces:
        return f"{lines[0]}\n  no face found"
    share = percent(samples.frames_with_faces / samples.frames)
    lines.append(f"  {samples.faces} {'face' if samples.faces == 1 else 'faces'}, in {share} of the frames")
    total = samples.labels.total()
    names = [name for name in (*EMOTIONS, "unsure") if samples.labels[name]]
    names.sort(key=lambda name: -samples.labels[name])
    lines += [f"  {name:<9}{percent(samples.labels[name] / total):>8}" for name in names]
    return "\n".join(lines)


def _annotated_file(given: argparse.Namespace) -> tuple[VideoForm | None, Path | None]:
    """How and where the annotated video is written, if it is."""
    if not given.out:
        return None, None
    if given.out.is_dir() or not given.out.suffix:
        form = choose_form(None)
        given.out.mkdir(parents=True, exist_ok=True)
        return form, given.out / f"{given.video.stem}-faces{form.suffix}"
    return choose_form(given.out.suffix), given.out


def _check_files(given: argparse.Namespace, out: Path | None) -> None:
    """Raises InvalidValueError: a file would be replaced or written twice. FileUnreadableError: no folder."""
    named = [
        (option, path)
        for option, path in (("--out", out), ("--csv", given.csv), ("--json", given.json))
        if path
    ]
    taken = {os.path.realpath(given.video)}
    for option, path in named:
        if os.path.realpath(path) in taken:
            raise InvalidValueError(f"{option} names {path}, which is in use already. Name another file.")
        taken.add(os.path.realpath(path))
        if path.is_dir():
            raise InvalidValueError(f"{option} names {path}, which is a folder. Name a file in it.")
        if path.exists() and not given.force:
            raise InvalidValueError(
                f"{path} exists. Name another file with {option}, or replace it with --force."
            )
        if not path.parent.is_dir():
            raise FileUnreadableError(
                f"{path}: there is no folder {path.parent}. Make it, or name another one."
            )


def _csv_sink(path: Path, session: Session, stack: contextlib.ExitStack) -> Callable[[AnalysedFrame], None]:
    file = stack.enter_context(stack.enter_context(draft_of(path)).open("wb"))
    # The history's own columns, a frame at a time; in the place of a session's id stands its name.
    named = replace(session, id=session.name)
    head, *_ = csv_file(named, [])
    file.write(head)

    def add(analysed: AnalysedFrame) -> None:
        _, rows = csv_file(named, [frame_table(analysed)])
        file.write(rows)

    return add


def _video_sink(
    out: Path, source: Path, fps: float, form: VideoForm, stack: contextlib.ExitStack
) -> Callable[[AnalysedFrame], None]:
    video = AnnotatedVideo(stack.enter_context(draft_of(out)), source, fps, form)

    def close(failure: object, *_: object) -> None:
        try:
            if failure is None:
                video.finish()
        finally:
            video.cancel()

    stack.push(close)
    return video.add


def _drive(
    frames: Generator[AnalysedFrame, None, None],
    sinks: list[Callable[[AnalysedFrame], None]],
    total: int | None,
) -> None:
    """Hand every frame to every sink; the reading thread has ended after this."""
    with contextlib.closing(frames):
        for analysed in _with_progress(frames, total):
            for sink in sinks:
                sink(analysed)


def _with_progress(items: Iterator[AnalysedFrame], total: int | None) -> Iterator[AnalysedFrame]:
    """The items, with a bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    # Imported here: without a terminal it is not needed.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        "frames,",
        TimeElapsedColumn(),
        "gone,",
        TimeRemainingColumn(),
    )
    with Progress(*columns, "left", console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("frames", total=total)
        for item in items:
            yield item
            bar.advance(task)


def _write_parts(path: Path, parts: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        for part in parts:
            file.write(part)


def _facts(given: argparse.Namespace, settings: Settings, reader: VideoReader) -> dict[str, Any]:
    height, width = reader.size_hw
    return {
        "file": session_name(argparse.Namespace(name=None, video=given.video)),
        "width": width,
        "height": height,
        "fps": reader.fps,
        "smoothing_s": settings.smoothing_s,
    }


def _check_history(settings: Settings) -> None:
    """Whether the database can be opened: better asked before an hour's work than after it."""
    open_history(settings.database_url, settings.data_dir).close()


def _store(settings: Settings, session: Session, table: SampleTable) -> str:
    with contextlib.closing(open_history(settings.database_url, settings.data_dir)) as repository:
        return repository.import_session(session, NO_BROWSER, [table]).id

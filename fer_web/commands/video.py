"""python -m fer_web video: the expressions in a video, frame by frame."""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import cv2

from fer_web.analysis.videos.video import AnalysedFrame, VideoSamples, analyse_video
from fer_web.analysis.videos.video_encoders import SUFFIXES, VideoForm, choose_form
from fer_web.analysis.videos.video_kinds import KINDS
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.analysis.videos.video_run import VideoOutputs, VideoRun
from fer_web.commands.analysis_options import MODEL_SETTINGS
from fer_web.commands.history import NO_BROWSER
from fer_web.commands.parsers import parser_with_examples
from fer_web.errors import FileUnreadableError, InvalidValueError
from fer_web.history.repository import open_history
from fer_web.history.session_texts import MAX_NAME, check_name
from fer_web.history.types import SampleTable, Session
from fer_web.inference.models import Model, open_model, options_of
from fer_web.inference.pipeline import FrameLimits, Pipeline, StreamState
from fer_web.interrupts import interrupt_kept
from fer_web.labels import EMOTIONS
from fer_web.metrics.text_tables import percent
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
`python -m fer_web history import` and the history's pages read. --out writes H.264 with the sound of the
video, or what the file's name asks for.
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
        help="write the video with boxes and labels: a folder, which gets NAME-faces.mp4, or a "
        f"file ({', '.join(SUFFIXES)})",
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
    limits = VideoLimits.from_settings(settings)
    with interrupt_kept() as check_interrupt, VideoReader(given.video, limits) as reader:
        form, out = _annotated_file(given)
        _check_files(given, out)
        name = session_name(given)
        if given.to_history:
            _check_history(settings)
        started = time.perf_counter()
        model, pipeline, state = open_pipeline(settings)
        run = VideoRun(
            reader,
            given.video,
            name=name,
            file_name=file_name_of(given.video),
            model=model.info,
            record_hz=settings.record_hz,
            smoothing_s=settings.smoothing_s,
        )
        outputs = VideoOutputs(given.csv, given.json, out, form)
        run.write(
            analyse_video(reader, pipeline, state),
            outputs,
            lambda items: _with_progress(_checked(items, check_interrupt), reader.frames),
        )
        print(describe(given.video, reader, run.samples, time.perf_counter() - started))
        _tell_written(outputs)
        if given.to_history:
            print(f"stored as session {_store(settings, run.session(), run.samples.table())}")
        for remark in reader.remarks:
            print(f"fer-web: {given.video}: {remark}.", file=sys.stderr)
        return 0 if reader.is_complete else 1


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
    return file_name_of(given.video)


def file_name_of(path: Path) -> str:
    """A file's name as text that can be stored and shown."""
    text = path.name.encode("utf-8", "replace").decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:MAX_NAME].strip()


def describe(path: Path, reader: VideoReader, samples: VideoSamples, took_s: float) -> str:
    """Describe what was found, as text."""
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
    """Tell how and where the annotated video is written, if it is."""
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


def _tell_written(outputs: VideoOutputs) -> None:
    written = [str(path) for path in (outputs.csv, outputs.json) if path]
    written += [f"{outputs.annotated} ({outputs.form.description})"] if outputs.form else []
    if written:
        print(f"written: {', '.join(written)}")


def _checked(items: Iterable[AnalysedFrame], check: Callable[[], None]) -> Iterator[AnalysedFrame]:
    for item in items:
        check()
        yield item


def _with_progress(items: Iterable[AnalysedFrame], total: int | None) -> Iterator[AnalysedFrame]:
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


def _check_history(settings: Settings) -> None:
    """Check that the database can be opened: better now than after an hour's work."""
    open_history(settings.database_url, settings.data_dir).close()


def _store(settings: Settings, session: Session, table: SampleTable) -> str:
    with contextlib.closing(open_history(settings.database_url, settings.data_dir)) as repository:
        return repository.import_session(session, NO_BROWSER, [table]).id

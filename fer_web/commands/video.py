"""python -m fer_web video: the expressions in a video, frame by frame."""

import argparse
import contextlib
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fer_web.analysis.videos.video import AnalysedFrame
from fer_web.analysis.videos.video_encoders import SUFFIXES, choose_form
from fer_web.analysis.videos.video_journal import VideoJournal
from fer_web.analysis.videos.video_kinds import KINDS
from fer_web.analysis.videos.video_part import MAX_EVERY
from fer_web.commands.analysis_options import MODEL_SETTINGS, VIDEO_SETTINGS
from fer_web.commands.history import NO_BROWSER
from fer_web.commands.many_videos import (
    ManyOutputs,
    ManyVideos,
    Program,
    shown_progress,
    start_process,
    summary_table,
)
from fer_web.commands.parsers import number_in, parser_with_examples
from fer_web.commands.video_analysis import VideoTask, analyse_task, describe, file_name_of, open_pipeline
from fer_web.commands.video_files import are_many, find_videos
from fer_web.commands.worker_run import AT_ONCE, worker_run
from fer_web.errors import FileUnreadableError, InvalidValueError
from fer_web.history.json_reader import read_export
from fer_web.history.repository import open_history
from fer_web.history.session_texts import check_name
from fer_web.history.types import SampleTable, Session
from fer_web.inference.models import open_model, options_of
from fer_web.interrupts import interrupt_kept
from fer_web.settings import Settings, add_setting_options, settings_of

_EXAMPLES: Final = """examples:
  python -m fer_web video clip.mp4
  python -m fer_web video clip.mp4 --out annotated --csv faces.csv
  python -m fer_web video clip.mp4 --to-history --name "First rehearsal"
  python -m fer_web video lecture.mp4 --start 1:30 --end 12:00 --every 5
  python -m fer_web video recordings/ "tapes/*.mov" --csv all.csv --out annotated

Every frame is analysed, or every n-th. --csv has a row for each face of each frame, with the video's own
times; --json and --to-history hold a session as the live page records it (--record-hz samples a second),
which `python -m fer_web history import` and the history's pages read. --out writes H.264 with the sound of
the video, or what the file's name asks for.
Several files, folders and patterns are analysed by as many processes as there are cores (--jobs). Then --csv
is one table of all, and --out and --json name folders. With --workers, other processes do it.
The same command again goes on where it was stopped: what is done is noted beside the results, and skipped.
exit status: 0 every video was analysed as a whole, 1 one was not, or only up to where it is damaged, 2 wrong
arguments, 130 interrupted; then no file of an unfinished video was written."""

SETTINGS: Final = (*VIDEO_SETTINGS, "data_dir")
"""Settings that are options of this tool too."""


def add_video(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "video", help="name the expressions in a video", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_video)
    parser.add_argument(
        "videos", nargs="+", metavar="IN", help=f"videos ({KINDS}), folders of them, or patterns"
    )
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
    parser.add_argument(
        "--start", type=_time, default=0.0, metavar="TIME", help="begin here: seconds, 1:30 or 1:02:03"
    )
    parser.add_argument("--end", type=_time, metavar="TIME", help="stop here")
    parser.add_argument(
        "--every", type=number_in(1, MAX_EVERY), default=1, metavar="N", help="analyse every N-th frame (1)"
    )
    parser.add_argument(
        "--jobs",
        type=number_in(1, 256),
        metavar="N",
        help="videos at once (default: as many as there are cores)",
    )
    parser.add_argument(
        "--workers",
        dest="job_workers",
        metavar="REDIS",
        help="redis://HOST:PORT/1: hand several videos to workers, python -m fer_web worker, which have "
        "the same database, and the same files by the same paths (FER_JOB_WORKERS)",
    )
    add_setting_options(parser, SETTINGS)


def run_video(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Analyse videos; returns 1 where one could not be, or ends before its time."""
    settings = settings_of(given, environment)
    if given.end is not None and given.end <= given.start:
        raise InvalidValueError(
            f"--end ({given.end:g} s) is not after --start ({given.start:g} s). Name a later time."
        )
    if given.to_history:
        _check_history(settings)
    if are_many(given.videos):
        return _run_many(given, settings)
    return _run_one(given, settings)


def _run_one(given: argparse.Namespace, settings: Settings) -> int:
    source = Path(given.videos[0])
    task = _task(given, source)
    with interrupt_kept() as check_interrupt:
        if not source.exists():
            raise FileUnreadableError(f"{source}: No such file or directory.")
        found, run = analyse_task(
            task,
            settings,
            open_pipeline(settings),
            lambda items, total: _with_progress(_checked(items, check_interrupt), total),
        )
        print(describe(source, found))
        _tell_written(task)
        if given.to_history:
            print(f"stored as session {_store(settings, run.session(), run.samples.table())}")
    for remark in found.remarks:
        print(f"fer-web: {source}: {remark}.", file=sys.stderr)
    return 0 if found.is_complete else 1


def _run_many(given: argparse.Namespace, settings: Settings) -> int:
    if given.name is not None:
        raise InvalidValueError("--name is for one video; several are called by their files.")
    sources = find_videos(given.videos, given.out)
    outputs = _many_outputs(given, settings)
    model = open_model(settings.model, options_of(settings))  # before all others: its errors are told once
    for warning in model.warnings:
        print(f"{model.info.name}: {warning}.", file=sys.stderr)
    part = {"start_s": given.start, "end_s": given.end, "every": given.every}
    options = {**part, "model": model.info.model_hash, **_options_of(given, settings)}
    place = _journal_place(given, settings, options)
    journal = VideoJournal(place, options, given.csv, begin_anew=given.force) if place else None
    with interrupt_kept() as check, shown_progress() as (show, tell), _programs(settings) as (start, lanes):
        jobs = given.jobs or min(len(sources), lanes)
        store = functools.partial(_store_export, settings)
        many = ManyVideos(settings, outputs, journal, jobs, store, show, check, tell, start)
        many.run(sources, part)
    if many.skipped:
        print(f"{many.skipped} of {len(sources)} videos were done before, and skipped")
    print(summary_table(many.found, many.failed))
    written = [str(path) for path in (given.csv, given.json, given.out) if path]
    if written:
        print(f"written: {', '.join(written)}")
    return 1 if many.failed or not all(found.is_complete for found in many.found.values()) else 0


@contextlib.contextmanager
def _programs(settings: Settings) -> Iterator[tuple[Callable[[], Program], int]]:
    """What starts a program that analyses videos, and how many shall run at the same time."""
    if not settings.job_workers:
        yield start_process, os.cpu_count() or 1
        return
    with (
        contextlib.closing(open_history(settings.database_url, settings.data_dir)) as history,
        worker_run(settings, history) as run,
    ):
        yield run.start, AT_ONCE


def _many_outputs(given: argparse.Namespace, settings: Settings) -> ManyOutputs:
    """Check where results go, and make the folders."""
    for option, path in (("--out", given.out), ("--json", given.json)):
        if path is None:
            continue
        if path.suffix or (path.exists() and not path.is_dir()):
            raise InvalidValueError(
                f"{option} names {path}, and several videos need a folder. Name one, without a suffix."
            )
        path.mkdir(parents=True, exist_ok=True)
    if given.csv and given.csv.is_dir():
        raise InvalidValueError(f"--csv names {given.csv}, which is a folder. Name a file in it.")
    if given.csv and not given.csv.parent.is_dir():
        raise FileUnreadableError(f"{given.csv}: there is no folder {given.csv.parent}. Make it.")
    folders = [given.out, given.csv and given.csv.parent, given.json]
    folder = next((each for each in folders if each), Path(settings.data_dir))
    folder.mkdir(parents=True, exist_ok=True)
    return ManyOutputs(folder, given.csv, given.json, given.out, given.to_history, given.force)


def _journal_place(given: argparse.Namespace, settings: Settings, options: dict[str, Any]) -> Path | None:
    """Where it is noted what is done: beside the results. Nothing is kept where there are none."""
    if given.csv:
        return Path(f"{given.csv}.done")
    for folder in (given.out, given.json):
        if folder:
            return Path(folder) / ".videos.done"
    # The history takes the same videos with other options, too.
    mark = hashlib.sha256(json.dumps(options).encode()).hexdigest()[:16]
    return Path(settings.data_dir) / f"videos-{mark}.done" if given.to_history else None


def _options_of(given: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """What decides about results, as it is noted."""
    names = (*MODEL_SETTINGS, "detector", "max_faces", "smoothing_s", "search_interval_s", "record_hz")
    outputs = {"out": given.out, "json": given.json}
    return {
        **{name: str(getattr(settings, name)) for name in names},
        **{name: path and str(path) for name, path in outputs.items()},
        "to_history": given.to_history,
    }


def _store_export(settings: Settings, path: Path) -> str:
    with path.open("rb") as file:
        session, table = read_export(file)
    return _store(settings, session, table)


def _time(text: str) -> float:
    """Seconds of 90, 1:30 or 0:01:30.5."""
    if not re.fullmatch(r"(\d{1,6}:){0,2}\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 90, 1:30 and 1:02:03.5 are")
    seconds = 0.0
    for each in text.split(":"):
        seconds = 60 * seconds + float(each)
    return seconds


def _task(given: argparse.Namespace, source: Path) -> VideoTask:
    out = _annotated_file(given, source)
    _check_files(given, source, out)
    csv, export, annotated = (str(path) if path else None for path in (given.csv, given.json, out))
    name = file_name_of(source) if given.name is None else check_name(given.name)
    return VideoTask(str(source), name, csv, export, annotated, given.start, given.end, given.every)


def _annotated_file(given: argparse.Namespace, source: Path) -> Path | None:
    """Tell where the annotated video is written, if it is."""
    out: Path | None = given.out
    if out is None:
        return None
    if out.is_dir() or not out.suffix:
        out.mkdir(parents=True, exist_ok=True)
        return out / f"{source.stem}-faces{choose_form(None).suffix}"
    choose_form(out.suffix)
    return out


def _check_files(given: argparse.Namespace, source: Path, out: Path | None) -> None:
    """Raises InvalidValueError: a file would be replaced or written twice. FileUnreadableError: no folder."""
    named = [
        (option, path)
        for option, path in (("--out", out), ("--csv", given.csv), ("--json", given.json))
        if path
    ]
    taken = {os.path.realpath(source)}
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


def _tell_written(task: VideoTask) -> None:
    written = [path for path in (task.csv, task.json) if path]
    form = task.outputs.form
    written += [f"{task.annotated} ({form.description})"] if form else []
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

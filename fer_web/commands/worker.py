"""python -m fer_web worker: analyses videos that servers and commands have handed on."""

import argparse
import contextlib
import dataclasses
import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fer_web.analysis.videos.scratch import ScratchFolder
from fer_web.analysis.videos.shared_queue import SharedVideoQueue
from fer_web.analysis.videos.shared_rows import SharedRows
from fer_web.analysis.videos.shared_worker import SharedVideoWorker, Stopping
from fer_web.analysis.videos.video_worker import stand_behind
from fer_web.analysis.videos.work_queue import RUNS, TASK, open_celery, queue_of
from fer_web.commands.analysis_options import VIDEO_SETTINGS
from fer_web.commands.parsers import parser_with_examples
from fer_web.commands.worker_run import run_next_of_command
from fer_web.errors import DatabaseError, SettingsError
from fer_web.factory.inference import build_video_tools
from fer_web.history.repository import HistoryRepository, open_history
from fer_web.inference.models import open_model, options_of
from fer_web.settings import Settings, add_setting_options, settings_of
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import resolve_detector

SETTINGS: Final = ("job_workers", "job_files", "data_dir", *VIDEO_SETTINGS)
"""Settings that are options of this tool too."""

_EXAMPLES: Final = """examples:
  python -m fer_web worker --job-workers redis://127.0.0.1:6379/1
  python app.py --job-workers redis://127.0.0.1:6379/1

A worker analyses one video at a time: start as many as there are cores for it, on any number of machines.
All need the servers' database (FER_DATABASE_URL, or on one machine the same data folder), the same
folder of videos (--job-files), the same user, and Redis. Told to end, a worker gives its video back.
exit status: 0 it was told to end, 1 it could not begin (standard error says why), 2 wrong arguments."""

_log = logging.getLogger(__name__)


def add_worker(tools: Any) -> None:
    """Add the tool to the command line."""
    parser = parser_with_examples(
        tools.add_parser, "worker", help="analyse videos for servers and commands", epilog=_EXAMPLES
    )
    parser.set_defaults(run=run_worker)
    add_setting_options(parser, SETTINGS)


def run_worker(given: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Work until a signal says otherwise."""
    settings = settings_of(given, environment)
    if not settings.job_workers:
        raise SettingsError(
            "job_workers is empty. A worker needs Redis: --job-workers redis://127.0.0.1:6379/1 "
            "(FER_JOB_WORKERS)."
        )
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    # Celery says of each message that it came: the database says all that matters.
    logging.getLogger("celery").setLevel(logging.WARNING)
    stand_behind()
    with contextlib.closing(open_history(settings.database_url, settings.data_dir)) as history:
        _serve(settings, history)
    return 0


def _serve(settings: Settings, history: HistoryRepository) -> None:
    from celery.signals import setup_logging, worker_ready, worker_shutting_down

    scratch = ScratchFolder(settings.job_folder)
    root, place = scratch.open_shared(), scratch.place()
    worker, stopping = _build_worker(settings, history, root, place), Stopping()
    app = open_celery(settings.job_workers)

    @app.task(name=TASK)  # type: ignore[untyped-decorator]
    def next_video(of_place: str) -> None:
        try:
            if of_place.startswith(RUNS):
                run_next_of_command(SharedRows(history.engine, of_place), settings, stopping)
            else:
                worker.run_next(stopping)
        except DatabaseError as exc:
            _log.warning("A video's state is not known: %s", exc)

    # Celery holds its listeners weakly: these names keep them.
    def end(**_: Any) -> None:
        stopping.set()

    def ready(**_: Any) -> None:
        _log.info("Worker is ready")

    def keep_logging(**_: Any) -> None:
        """Our own stays: Celery sets none up where somebody listens here."""

    setup_logging.connect(keep_logging)
    worker_shutting_down.connect(end)
    worker_ready.connect(ready)
    queues = f"{queue_of(place)},{queue_of(RUNS)}"
    name = f"fer-web-{os.getpid()}-{secrets.token_hex(3)}@%h"
    # One at a time, in this thread: a signal ends it between two frames.
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    with contextlib.suppress(SystemExit):
        app.worker_main(
            ["--quiet", "worker", "--pool=solo", f"--queues={queues}", f"--hostname={name}", *quiet]
        )


def _build_worker(
    settings: Settings, history: HistoryRepository, root: Path, place: str
) -> SharedVideoWorker:
    model = open_model(settings.model, options_of(settings))
    for warning in model.warnings:
        _log.warning("%s: %s.", model.info.name, warning)
    detector = resolve_detector(settings.detector, BLAZEFACE_PATH)
    tools = build_video_tools(dataclasses.replace(settings, workers=1), model, detector)
    rows = SharedRows(history.engine, place)
    queue = SharedVideoQueue(rows, root, lambda: None)
    return SharedVideoWorker(rows, queue, tools, history)

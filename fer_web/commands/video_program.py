"""A process that analyses one video after another: many_videos.py starts one for each core.

The first line on standard input is the settings, each further one a VideoTask, both as JSON. Each line on
standard output is JSON too: frames so far, then what was found or why nothing was.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from fer_web.analysis.videos.video import AnalysedFrame
from fer_web.commands.video_analysis import VideoTask, analyse_task, new_state, open_pipeline
from fer_web.errors import FerWebError
from fer_web.settings import Settings

_TELL_S: Final = 0.5


def main() -> None:
    """Analyse what comes, until nothing does."""
    try:
        settings = Settings(**json.loads(sys.stdin.readline(), object_hook=_path_from_wire))
        model, pipeline, _ = open_pipeline(settings)
        for line in sys.stdin:
            _do(VideoTask(**json.loads(line)), settings, (model, pipeline))
    except BrokenPipeError:
        os._exit(1)  # nobody listens


def path_to_wire(path: Path) -> dict[str, str]:
    """A path among settings, for JSON."""
    return {"path": str(path)}


def _path_from_wire(told: dict[str, Any]) -> Any:
    return Path(told["path"]) if set(told) == {"path"} else told


def _do(task: VideoTask, settings: Settings, opened: tuple[Any, Any]) -> None:
    try:
        found, _ = analyse_task(task, settings, (*opened, new_state(settings)), _told)
        _tell({"found": found.to_wire()})
    except FerWebError as exc:
        _tell({"error": str(exc)})
    except BrokenPipeError:
        raise
    except OSError as exc:
        _tell({"error": f"{exc.filename or 'The file'}: {exc.strerror or exc}."})


def _told(frames: Iterable[AnalysedFrame], total: int | None) -> Iterator[AnalysedFrame]:
    told_s, count = 0.0, 0
    for count, frame in enumerate(frames, 1):
        yield frame
        if time.monotonic() - told_s > _TELL_S:
            told_s = time.monotonic()
            _tell({"frames": count, "total": total})
    _tell({"frames": count, "total": total})


def _tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)

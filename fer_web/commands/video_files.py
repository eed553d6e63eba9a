"""Names on the command line -> the videos that they mean."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from fer_web.analysis.folders.labelled_images import files_below
from fer_web.analysis.videos.video_kinds import VIDEO_SUFFIXES
from fer_web.errors import FileUnreadableError


def find_videos(names: Sequence[str], left_out: Path | None = None) -> list[Path]:
    """Files as they are, videos below folders, and what patterns match; each once.

    Args: left_out: a folder whose files are results, and no videos to analyse.
    Raises: FileUnreadableError: a folder has none.
    """
    found: dict[str, Path] = {}
    for name in names:
        for path in _matches(name):
            for file in _below(path, left_out) if path.is_dir() else [path]:
                found.setdefault(os.path.realpath(file), file)
    return list(found.values())


def are_many(names: Sequence[str]) -> bool:
    """Tell whether more than one video may be meant."""
    return len(names) > 1 or os.path.isdir(names[0]) or _is_pattern(names[0])


def _below(folder: Path, left_out: Path | None) -> list[Path]:
    out = os.path.realpath(left_out) + os.sep if left_out else None
    files = [
        file
        for file in files_below(folder)
        if file.suffix.lower() in VIDEO_SUFFIXES and not (out and os.path.realpath(file).startswith(out))
    ]
    if not files:
        raise FileUnreadableError(f"{folder} is a folder without videos.")
    return files


def _is_pattern(name: str) -> bool:
    return glob.has_magic(name) and not os.path.exists(name)


def _matches(name: str) -> list[Path]:
    """Windows' shells leave patterns to programs."""
    return [Path(each) for each in (_is_pattern(name) and sorted(glob.glob(name, recursive=True))) or [name]]

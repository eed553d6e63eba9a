"""Parsed data is kept as .npz and found again as long as its sources have not changed."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

FORM = "1"
"""It is raised when the same files are read in another way than before."""

_HEAD_BYTES = 1 << 20

Arrays = dict[str, NDArray[Any]]


def cache_path(sources: list[Path], folder: Path) -> Path:
    """Return where the data of these files and folders is kept.

    The name holds a hash of their places and one of their states: sizes, times of change, and the
    first MiB of each file; in a folder, name, size and time of every file.
    """
    places = _short_hash(str(each.resolve()) for each in sources)
    state = _short_hash([FORM, *(line for each in sources for line in _state(each))])
    return folder / f"{sources[0].stem}-{places}-{state}.npz"


def read_cached(path: Path) -> Arrays | None:
    """Return the arrays by name, or None where there is no file or a broken one."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, AttributeError, TypeError, BadZipFile):
        return None


def write_cached(path: Path, arrays: Arrays) -> None:
    """Write the file in one atomic step, in place of those of the same sources in other states.

    Raises: OSError: the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **dict[str, Any](arrays))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sources = path.stem.rpartition("-")[0]
    for old in path.parent.glob("*.npz"):
        if old != path and old.stem.rpartition("-")[0] == sources:
            with contextlib.suppress(OSError):
                old.unlink()


def _state(source: Path) -> Iterator[str]:
    if source.is_file():
        with source.open("rb") as file:
            yield hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    for path in files:
        status = path.stat()
        yield f"{path.relative_to(source)} {status.st_size} {status.st_mtime_ns}"


def _short_hash(lines: Any) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

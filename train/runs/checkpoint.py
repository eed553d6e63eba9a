"""Keep a run's checkpoints: one .npz file each, always whole, with raw and averaged weights."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import DataError

LAST_FILE = "last.npz"
BEST_FILE = "best.npz"
_EMA, _MODEL, _OPTIMIZER = "ema/", "model/", "optimizer/"


def save(
    path: Path, model: keras.Model, averaged: dict[str, NDArray[np.float32]], *, epochs_done: int
) -> None:
    """Write what `restore` continues from and `averaged_weights` reads, in one atomic step.

    Args: averaged: averaged weights by variable path.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for prefix, owner in ((_MODEL, model), (_OPTIMIZER, model.optimizer)):
        # By position: Keras numbers the names of optimizers and seed generators through a process.
        for i, variable in enumerate(owner.variables):
            arrays[f"{prefix}{i}"] = keras.ops.convert_to_numpy(variable)
    _write_arrays(path, arrays, averaged, epochs_done)


def save_averaged(path: Path, averaged: dict[str, NDArray[np.float32]], *, epochs_done: int) -> None:
    """Write averaged weights alone: enough to evaluate and export, not to continue."""
    _write_arrays(path, {}, averaged, epochs_done)


def restore(path: Path, model: keras.Model) -> int:
    """Set a compiled model and its optimizer to a checkpoint. Returns how many epochs were done.

    Raises: DataError: the file is broken, or of another network.
    """
    with _read_arrays(path) as arrays:
        for prefix, owner in ((_MODEL, model), (_OPTIMIZER, model.optimizer)):
            for i, variable in enumerate(owner.variables):
                variable.assign(arrays[f"{prefix}{i}"])
        return int(arrays["epoch"])


def averaged_weights(path: Path) -> tuple[dict[str, NDArray[np.float32]], int]:
    """Return the averaged weights of a checkpoint by variable path, and the epoch they are from.

    Raises: DataError: there is no such file, or it is broken.
    """
    if not path.is_file():
        raise DataError(
            f"{path} does not exist: the run has no finished epoch. Train first: python -m train fit"
        )
    with _read_arrays(path) as arrays:
        names = [name for name in arrays.files if name.startswith(_EMA)]
        return {name.removeprefix(_EMA): arrays[name] for name in names}, int(arrays["epoch"])


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file; a kill leaves the old one or the new one, never half of one."""
    with _replacing(path) as partial:
        partial.write_bytes(content)


def _write_arrays(
    path: Path, arrays: dict[str, NDArray[Any]], averaged: dict[str, NDArray[np.float32]], epochs_done: int
) -> None:
    stored: dict[str, Any] = {_EMA + name: value for name, value in averaged.items()}
    with _replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **(stored | arrays | {"epoch": np.array(epochs_done)}))


@contextlib.contextmanager
def _read_arrays(path: Path) -> Iterator[Any]:
    try:
        # Opened here: NumPy leaves a broken archive open.
        with path.open("rb") as file, np.load(file) as arrays:
            yield arrays
    except (OSError, ValueError, EOFError, KeyError, AttributeError, TypeError, BadZipFile) as exc:
        raise DataError(
            f"{path} is broken or of another network ({exc}). Remove it to train from the start"
        ) from exc


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Open a file that takes the place of `path` at the end, or is removed after an error."""
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as exc:
        # A full disk's error does not say which file.
        raise OSError(exc.errno, exc.strerror or str(exc), str(path)) from exc
    finally:
        partial.unlink(missing_ok=True)

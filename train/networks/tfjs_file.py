"""Weights from the files of TensorFlow.js: a JSON that lists them, and their bytes in files beside it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPES = {"float32": np.dtype("<f4"), "int32": np.dtype("<i4")}

MOST_BYTES = 64 * 2**20
"""Of a list, and of all its weights; the networks that this project reads have a quarter of it."""


def read_graph_weights(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a graph model, by name; nothing of its graph is run.

    Args: path: the .json file.
    Raises:
        OSError: a file is missing or cannot be read.
        ValueError: not such a file, compressed weights, or fewer or more bytes than it lists.
    """
    try:
        listed = json.loads(_read(path, MOST_BYTES))
    except RecursionError as exc:
        raise ValueError(f"{path.name} is nested too deeply") from exc
    arrays: dict[str, NDArray[Any]] = {}
    left = MOST_BYTES
    for group in _field(listed, "weightsManifest", list):
        content = b""
        for name in _field(group, "paths", list):
            content += _read(path.parent / _plain_name(name), left - len(content))
        left -= len(content)
        offset = 0
        for each in _field(group, "weights", list):
            name, array, offset = _array(each, content, offset)
            if name in arrays:
                raise ValueError(f"{name} is listed twice")
            arrays[name] = array
        if offset != len(content):
            raise ValueError(f"{len(content)} bytes of weights, of which only {offset} are listed")
    return arrays


def _read(path: Path, most: int) -> bytes:
    if path.exists() and not path.is_file():
        raise ValueError(f"{path.name} is no file")
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"with {path.name} there are more than {MOST_BYTES} bytes")
    return content


def _field(part: object, name: str, kind: type) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get(name), kind):
        raise ValueError(f"it has no {name}")
    return part[name]


def _plain_name(name: object) -> str:
    """The file's name, which leads nowhere else."""
    if not isinstance(name, str) or name != Path(name).name:
        raise ValueError(f"{name!r} is no file beside it")
    return name


def _array(listed: object, content: bytes, offset: int) -> tuple[str, NDArray[Any], int]:
    """An array's name, itself, and the place after it."""
    name, shape = _field(listed, "name", str), _field(listed, "shape", list)
    dtype = _DTYPES.get(_field(listed, "dtype", str))
    if dtype is None or "quantization" in listed:  # type: ignore[operator]
        raise ValueError(f"{name} is not plain float32 or int32")
    if not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"{name} has the shape {shape}")
    size = math.prod(shape)
    end = offset + size * dtype.itemsize
    if end > len(content):
        raise ValueError(f"{name} ends after the file")
    return name, np.frombuffer(content, dtype, size, offset).reshape(shape), end

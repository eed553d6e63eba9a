"""The weights of a TensorFlow.js model, read as plain arrays from the files that its `model.json` names."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ModelArtifactError
from fer_web.inference.custom.hdf5_files import MAX_VALUES

Weights = dict[str, NDArray[Any]]

TOPOLOGY, MANIFEST = "modelTopology", "weightsManifest"
JSON_BYTES: Final = 50_000_000
_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "int32": np.dtype("<i4"),
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
    "bool": np.dtype("u1"),
}
_KEPT: Final = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}
_QUANTISED: Final = ("uint8", "uint16", "float16")
_DIMENSIONS: Final = 8


def read_model_json(path: Path) -> dict[str, Any]:
    """A `model.json` as a dict. Raises ModelArtifactError: it is too large, or no JSON."""
    try:
        if path.stat().st_size > JSON_BYTES:
            raise _wrong(path, f"has {path.stat().st_size} bytes; up to {JSON_BYTES} are read")
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as exc:
        raise _wrong(path, f"is no readable JSON ({exc})") from exc
    if not isinstance(found, dict):
        raise _wrong(path, "holds no object")
    return found


def shard_paths(path: Path, model: dict[str, Any]) -> list[Path]:
    """The files that hold the weights, in their order. Raises ModelArtifactError: a name leads elsewhere."""
    return [_shard(path, name) for group in _groups(path, model) for name in group["paths"]]


def read_weights(path: Path, model: dict[str, Any]) -> Weights:
    """All arrays of a `model.json`, by name, unpacked to float32, int32 or bool.

    Raises: ModelArtifactError: a file is missing, too short or too long, a name leads out of the folder, an
        array is too large or holds numbers that are none.
    """
    weights: Weights = {}
    total = 0
    for group in _groups(path, model):
        entries = [_Entry(path, each) for each in group["weights"]]
        total += sum(entry.count for entry in entries)
        if total > MAX_VALUES:
            raise _wrong(path, f"names arrays of {total} numbers; up to {MAX_VALUES} are read")
        data = _bytes_of(path, group, sum(entry.size for entry in entries))
        start = 0
        for entry in entries:
            if entry.name in weights:
                raise _wrong(path, f"has two weights of the name {entry.name!r}")
            weights[entry.name] = entry.array(data[start : start + entry.size])
            start += entry.size
    return weights


class _Entry:
    """One array of the manifest: its name, shape and how its numbers are stored."""

    def __init__(self, path: Path, said: Any) -> None:
        try:
            self.name, self.shape = str(said["name"]), tuple(said["shape"])
            self.dtype = str(said["dtype"])
            self._quantised = said.get("quantization") or None
            self._stored = str(self._quantised["dtype"] if self._quantised else self.dtype)
        except (TypeError, KeyError, AttributeError) as exc:
            raise _wrong(path, f"has a weight that says not what it is ({said!r:.100})") from exc
        self._path = path
        is_shape = all(type(side) is int and side >= 0 for side in self.shape)
        if not is_shape or len(self.shape) > _DIMENSIONS:
            raise _wrong(path, f"has the weight {self.name!r} of shape {self.shape!r:.100}")
        allowed = _QUANTISED if self._quantised else ("float32", "int32", "bool", "uint8", "float16")
        if self._stored not in allowed or self.dtype not in _TYPES:
            raise _wrong(path, f"has the weight {self.name!r} of type {self._stored!r}, which cannot be read")
        self.count = math.prod(self.shape)
        self.size = self.count * _TYPES[self._stored].itemsize

    def array(self, data: memoryview) -> NDArray[Any]:
        values = np.frombuffer(data, _TYPES[self._stored]).reshape(self.shape)
        if self._quantised and self._stored != "float16":
            values = self._unpacked(values)
        kind = _KEPT.get(self.dtype, np.float32)
        if np.issubdtype(kind, np.floating) and not np.isfinite(values).all():
            raise _wrong(self._path, f"has numbers that are none (NaN or infinite) in {self.name!r}")
        return np.asarray(np.round(values) if kind == np.int32 else values, kind)

    def _unpacked(self, values: NDArray[Any]) -> NDArray[np.float32]:
        assert self._quantised is not None
        scale, least = (self._quantised.get(key) for key in ("scale", "min"))
        if not all(isinstance(each, int | float) and math.isfinite(each) for each in (scale, least)):
            raise _wrong(self._path, f"does not say how {self.name!r} is quantised")
        return np.asarray(values.astype(np.float32) * np.float32(scale) + np.float32(least), np.float32)


def _groups(path: Path, model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    manifest = model.get(MANIFEST)
    if not isinstance(manifest, list) or not manifest:
        raise _wrong(path, f"has no {MANIFEST}, which names its weights")
    for group in manifest:
        is_group = isinstance(group, dict) and all(
            isinstance(group.get(key), list) for key in ("paths", "weights")
        )
        if not is_group or not all(isinstance(name, str) for name in group["paths"]):
            raise _wrong(path, f"has a part of its {MANIFEST} without paths or weights")
        yield group


def _shard(path: Path, name: str) -> Path:
    """The file of this name beside model.json; a name from elsewhere must not reach other files."""
    parts = name.split("/")
    is_plain = bool(name) and not re.search(r"[\\:\x00-\x1f]", name) and "" not in parts and ".." not in parts
    folder = path.parent.resolve()
    shard = folder.joinpath(*parts) if is_plain else folder
    if not is_plain or not shard.resolve().is_relative_to(folder):
        raise _wrong(path, f"takes weights from {name!r:.100}, which is not in its folder. It is not opened")
    return shard


def _bytes_of(path: Path, group: dict[str, Any], wanted: int) -> memoryview:
    shards = [_shard(path, name) for name in group["paths"]]
    for shard in shards:
        if not shard.is_file():
            raise _wrong(path, f"takes weights from {shard.name}, which is not beside it")
    found = sum(shard.stat().st_size for shard in shards)
    if found != wanted:
        names = ", ".join(shard.name for shard in shards[:3])
        fault = "cut short" if found < wanted else "of another model"
        raise _wrong(path, f"needs {wanted} bytes of weights, and {names} has {found}: it is {fault}")
    try:
        return memoryview(b"".join(shard.read_bytes() for shard in shards))
    except OSError as exc:
        raise _wrong(path, f"has weights that cannot be read ({exc.strerror})") from exc


def _wrong(path: Path, what: str) -> ModelArtifactError:
    return ModelArtifactError(f"{path} {what}. Copy model.json again with all files that came with it.")

"""Read state dicts that PyTorch before 1.6 saved (.pth), without PyTorch, which takes gigabytes.

Such a file is a row of pickles (a magic number, a version, facts on the machine, the state dict,
the names of its storages), then each storage's length and bytes. PyTorch calls it the legacy
format.
"""

import math
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

_BROKEN_CONTENT = (
    *(pickle.UnpicklingError, struct.error, EOFError, AttributeError, IndexError, KeyError),
    *(MemoryError, OverflowError, RecursionError, TypeError, ValueError),
)
"""A file raises one of these when it is cut short or was made for something else."""


class _Storage(NamedTuple):
    name: str
    dtype: np.dtype[Any]


class _Tensor(NamedTuple):
    """It is a view of a storage; offset and strides count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path) -> dict[str, Array]:
    """Return the arrays of a state dict by name, read-only: float32, or int64 for counters, in
    PyTorch's shapes.

    Nothing in the file can run: of all Python names only the four that state dicts need are known.
    Python's unpickler can still be made to use much memory or time, so that files are checked by
    their hash before.

    Raises: OSError: it cannot be opened. ValueError: it is no such file, or is cut short.
    """
    with path.open("rb") as file:
        try:
            tensors = _read_tensors(file)
            storages = _read_storages(file, {each.storage for each in tensors.values()})
            return {name: _view(each, storages[each.storage.name]) for name, each in tensors.items()}
        except _BROKEN_CONTENT as exc:
            raise ValueError(
                f"no state dict of PyTorch before 1.6: {str(exc)[:200] or type(exc).__name__}"
            ) from exc


def _read_tensors(file: IO[bytes]) -> dict[str, _Tensor]:
    if _Unpickler(file).load() != _MAGIC_NUMBER:
        raise ValueError("it does not begin with the magic number")
    _Unpickler(file).load()
    if not _Unpickler(file).load()["little_endian"]:
        raise ValueError("it is big-endian")
    tensors = dict(_Unpickler(file).load())
    for name, each in tensors.items():
        if not isinstance(name, str) or not isinstance(each, _Tensor):
            raise ValueError("it holds something else than tensors with names")
    return tensors


def _read_storages(file: IO[bytes], wanted: set[_Storage]) -> dict[str, Array]:
    dtypes = {each.name: each.dtype for each in wanted}
    storages = {}
    for name in _Unpickler(file).load():
        (count,) = struct.unpack("<q", file.read(8))
        size = count * dtypes[name].itemsize
        content = file.read(size)
        if len(content) != size:
            raise ValueError("it is cut short")
        storages[name] = np.frombuffer(content, dtypes[name])
    return storages


def _view(tensor: _Tensor, storage: Array) -> Array:
    shape, strides = tensor.shape, tensor.strides
    last = tensor.offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    is_beyond = min((tensor.offset, *shape, *strides), default=0) < 0 or last >= len(storage)
    # With strides of 0, a few bytes could be any number of numbers.
    if is_beyond or math.prod(shape) > len(storage):
        raise ValueError("a tensor reaches beyond its storage")
    of_bytes = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], shape, of_bytes, writeable=False)


class _Unpickler(pickle.Unpickler):
    """It makes tensors, storages' names and dictionaries, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a state dict")

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, name, *_ = pid
        return _Storage(name, dtype)


def _tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))

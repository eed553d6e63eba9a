"""Writes files as PyTorch before 1.6 did, without PyTorch: to test the reader of such files."""

import io
import pickle
import struct
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
MACHINE = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def state_dict_file(arrays: Mapping[str, NDArray[Any]], *, machine: dict[str, Any] = MACHINE) -> bytes:
    """The file of a state dict; arrays that share memory share a storage, and views keep their strides."""
    file = io.BytesIO()
    for each in (MAGIC_NUMBER, 1001, machine):
        pickle.dump(each, file, protocol=2)
    with _torch() as torch:
        pickler = _Pickler(file, torch)
        state: OrderedDict[str, Any] = OrderedDict((name, _Tensor(each)) for name, each in arrays.items())
        state._metadata = OrderedDict({"": {"version": 1}})
        pickler.dump(state)
    pickle.dump(list(pickler.storages), file, protocol=2)
    for storage in pickler.storages.values():
        file.write(struct.pack("<q", storage.size) + storage.tobytes())
    return file.getvalue()


class _Tensor:
    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.storage = array if array.base is None else array.base


class _StorageId(tuple[Any, ...]):
    """What the pickle holds in place of a storage."""


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, torch: types.ModuleType) -> None:
        super().__init__(file, protocol=2)
        self.storages: dict[str, NDArray[Any]] = {}
        self._torch = torch

    def persistent_id(self, obj: object) -> Any:
        return tuple(obj) if isinstance(obj, _StorageId) else None

    def reducer_override(self, obj: object) -> Any:
        if not isinstance(obj, _Tensor):
            return NotImplemented
        array, storage = obj.array, obj.storage
        name = str(storage.__array_interface__["data"][0])
        self.storages[name] = storage
        kind = self._torch.FloatStorage if storage.dtype == np.float32 else self._torch.LongStorage
        offset = array.__array_interface__["data"][0] - storage.__array_interface__["data"][0]
        strides = tuple(step // array.itemsize for step in array.strides)
        place = _StorageId(("storage", kind, name, "cpu", storage.size, None))
        args = (place, offset // array.itemsize, array.shape, strides, False, OrderedDict())
        return self._torch._utils._rebuild_tensor_v2, args


@contextmanager
def _torch() -> Iterator[types.ModuleType]:
    """Stand-ins whose names are PyTorch's, for as long as something is pickled."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_: object) -> None:
        raise AssertionError

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    torch._utils = utils
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        yield torch

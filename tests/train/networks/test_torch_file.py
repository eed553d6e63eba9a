import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from tests.support.torch_files import MACHINE, MAGIC_NUMBER, state_dict_file
from train.networks.torch_file import read_state_dict

KERNEL = np.arange(24, dtype=np.float32)


def arrays() -> dict[str, np.ndarray]:
    return {
        "conv.weight": KERNEL.reshape(2, 3, 4),
        # PyTorch keeps transposed weights as a view with other strides.
        "conv.turned": KERNEL.reshape(2, 3, 4).transpose(2, 0, 1),
        "conv.part": KERNEL[5:9],
        "bn.num_batches_tracked": np.array(7, np.int64),
    }


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(state_dict_file(arrays()))

    found = read_state_dict(path)

    assert list(found) == list(arrays())
    for name, wanted in arrays().items():
        assert found[name].dtype == wanted.dtype
        np.testing.assert_array_equal(found[name], wanted)


def test_a_file_cut_anywhere_raises(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    whole = state_dict_file(arrays())
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"no state dict of PyTorch before 1\.6"):
            read_state_dict(path)


class _Runs:
    def __reduce__(self) -> object:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("position", range(5))
def test_nothing_in_a_file_runs(tmp_path: Path, position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts: list[object] = [MAGIC_NUMBER, 1001, MACHINE, OrderedDict(), []]
    parts[position] = _Runs()
    (tmp_path / "hostile.pth").write_bytes(b"".join(pickle.dumps(each, protocol=2) for each in parts))

    with pytest.raises(ValueError, match="does not belong into a state dict"):
        read_state_dict(tmp_path / "hostile.pth")

    assert not (tmp_path / "ran").exists()


def test_a_tensor_beyond_its_storage_raises(tmp_path: Path) -> None:
    whole = state_dict_file({"weight": KERNEL})
    declared, shorter = struct.pack("<q", 24), struct.pack("<q", 23)
    assert whole.count(declared) == 1
    (tmp_path / "weights.pth").write_bytes(whole.replace(declared, shorter)[:-4])

    with pytest.raises(ValueError, match="beyond its storage"):
        read_state_dict(tmp_path / "weights.pth")


def test_a_tensor_that_repeats_its_storage_without_end_raises(tmp_path: Path) -> None:
    one = np.zeros(1, np.float32)
    endless = np.broadcast_to(one, (10**10,))
    (tmp_path / "weights.pth").write_bytes(state_dict_file({"weight": endless}))

    with pytest.raises(ValueError, match="beyond its storage"):
        read_state_dict(tmp_path / "weights.pth")


def _nested(depth: int) -> bytes:
    """The pickle of a dict with a tuple in a tuple in a tuple for its key."""
    return b"\x80\x02}(" + b")" + b"\x85" * depth + b"K\x01u."


@pytest.mark.parametrize("depth", [10, 5000])
def test_a_name_that_is_no_text_raises(tmp_path: Path, depth: int) -> None:
    head = b"".join(pickle.dumps(each) for each in (MAGIC_NUMBER, 1001, MACHINE))
    (tmp_path / "weights.pth").write_bytes(head + _nested(depth) + pickle.dumps([]))

    with pytest.raises(ValueError, match=r"no state dict of PyTorch before 1\.6: \S"):
        read_state_dict(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Ran out of input"),
        (b"PK\x03\x04", "no state dict"),
        (pickle.dumps(1), "magic number"),
        (state_dict_file({}, machine={**MACHINE, "little_endian": False}), "big-endian"),
        (
            b"".join(pickle.dumps(each) for each in (MAGIC_NUMBER, 1001, MACHINE, {"a": 1}, [])),
            "tensors with names",
        ),
    ],
)
def test_another_file_raises(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "other.pth").write_bytes(content)

    with pytest.raises(ValueError, match=reason):
        read_state_dict(tmp_path / "other.pth")


def test_no_file_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        read_state_dict(tmp_path / "missing.pth")

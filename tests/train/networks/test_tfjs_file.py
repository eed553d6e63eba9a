import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.tfjs_files import listing, write_graph_weights
from train.networks.tfjs_file import MOST_BYTES, read_graph_weights

ARRAYS = {
    "conv/kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "axes": np.array([1, 2], np.int32),
    "limit": np.array(6, np.float32),
}


@pytest.mark.parametrize("parts", [1, 3])
def test_arrays_are_read_as_they_were_written(tmp_path: Path, parts: int) -> None:
    write_graph_weights(tmp_path / "net.json", ARRAYS, parts=parts)

    found = read_graph_weights(tmp_path / "net.json")

    assert list(found) == list(ARRAYS)
    for name, wanted in ARRAYS.items():
        assert found[name].dtype == wanted.dtype
        np.testing.assert_array_equal(found[name], wanted)


def test_many_files_may_not_have_more_bytes_together_than_one(tmp_path: Path) -> None:
    (tmp_path / "net.bin").write_bytes(bytes(MOST_BYTES // 4))
    (tmp_path / "net.json").write_text(json.dumps(listing({}, *["net.bin"] * 5)))

    with pytest.raises(ValueError, match=r"with net\.bin there are more than"):
        read_graph_weights(tmp_path / "net.json")


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "net.bin")
    (tmp_path / "net.json").write_text(json.dumps(listing({}, "net.bin")))

    with pytest.raises(ValueError, match=r"net\.bin is no file"):
        read_graph_weights(tmp_path / "net.json")


def test_two_arrays_of_one_name_raise(tmp_path: Path) -> None:
    twice = listing({"kernel": np.zeros(2, np.float32)}, "net.bin")
    twice["weightsManifest"][0]["weights"] *= 2
    (tmp_path / "net.json").write_text(json.dumps(twice))
    (tmp_path / "net.bin").write_bytes(bytes(16))

    with pytest.raises(ValueError, match="kernel is listed twice"):
        read_graph_weights(tmp_path / "net.json")


@pytest.mark.parametrize(("change", "reason"), [(-1, "ends after the file"), (1, "only 108 are listed")])
def test_fewer_or_more_bytes_than_listed_raise(tmp_path: Path, change: int, reason: str) -> None:
    write_graph_weights(tmp_path / "net.json", ARRAYS)
    content = (tmp_path / "net-0.bin").read_bytes()
    (tmp_path / "net-0.bin").write_bytes(content[:-1] if change < 0 else content + b"\0")

    with pytest.raises(ValueError, match=reason):
        read_graph_weights(tmp_path / "net.json")


def _listed(**changes: object) -> dict[str, Any]:
    whole = listing({"conv/kernel": np.zeros(2, np.float32)}, "net.bin")
    whole["weightsManifest"][0]["weights"][0] |= changes
    return whole


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("no JSON", "Expecting value"),
        ("[" * 100_000, "nested too deeply"),
        ([], "has no weightsManifest"),
        ({"weightsManifest": [7]}, "has no paths"),
        ({"weightsManifest": [{"paths": []}]}, "has no weights"),
        ({"weightsManifest": [{"paths": [7], "weights": []}]}, "7 is no file beside it"),
        ({"weightsManifest": [{"paths": ["../net.bin"], "weights": []}]}, "is no file beside it"),
        ({"weightsManifest": [{"paths": ["net.bin"], "weights": [7]}]}, "has no name"),
        (_listed(name=7), "has no name"),
        (_listed(shape=2), "has no shape"),
        (_listed(shape=[-2]), r"has the shape \[-2\]"),
        (_listed(shape=[True]), r"has the shape \[True\]"),
        (_listed(shape=[10**30]), "ends after the file"),
        (_listed(dtype="complex64"), "is not plain float32 or int32"),
        (_listed(dtype=["float32"]), "has no dtype"),
        (_listed(quantization={"dtype": "float16"}), "is not plain float32 or int32"),
    ],
)
def test_what_is_no_such_file_raises(tmp_path: Path, content: object, reason: str) -> None:
    (tmp_path / "net.json").write_text(content if isinstance(content, str) else json.dumps(content))
    (tmp_path / "net.bin").write_bytes(bytes(8))

    with pytest.raises(ValueError, match=reason):
        read_graph_weights(tmp_path / "net.json")


@pytest.mark.parametrize("name", ["net.json", "net-0.bin"])
def test_a_file_that_is_missing_or_too_large_raises(tmp_path: Path, name: str) -> None:
    write_graph_weights(tmp_path / "net.json", ARRAYS)
    with (tmp_path / name).open("r+b") as file:
        # Without a byte on the disk.
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ValueError, match=rf"with {name} there are more than"):
        read_graph_weights(tmp_path / "net.json")
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        read_graph_weights(tmp_path / "net.json")

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS
from tests.support.fer_rows import write_ferplus_csv, write_kaggle_csv
from train.data.fer_data import FerData, load_data


@pytest.fixture
def sources(tmp_path: Path, data: FerData) -> tuple[Path, Path]:
    write_kaggle_csv(tmp_path / "fer2013.csv", data)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)
    return tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv"


def forbid_reading(patch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("the source was read again")

    patch.setattr("train.data.fer_data.read_fer2013_csv", fail)
    patch.setattr("train.data.fer_data.read_image_folders", fail)


def test_load_data_second_time_comes_from_the_cache(
    tmp_path: Path, sources: tuple[Path, Path], data: FerData, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_data(*sources, cache_dir=tmp_path / "cache")
    forbid_reading(monkeypatch)
    second = load_data(*sources, cache_dir=tmp_path / "cache")

    assert first.sha256() == second.sha256() == data.sha256()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_load_data_without_cache_dir_writes_nothing(sources: tuple[Path, Path]) -> None:
    load_data(*sources)

    assert sorted(path.name for path in sources[0].parent.iterdir()) == ["fer2013.csv", "fer2013new.csv"]


@pytest.mark.parametrize("changed", [0, 1])
def test_load_data_changed_source_is_read_again_and_replaces_the_old(
    tmp_path: Path, sources: tuple[Path, Path], data: FerData, changed: int
) -> None:
    load_data(*sources, cache_dir=tmp_path / "cache")
    votes = data.votes[:, ::-1].copy()
    other = FerData(255 - data.images, data.emotion, data.usage, votes)
    (write_kaggle_csv, write_ferplus_csv)[changed](sources[changed], other)
    os.utime(sources[changed], ns=(1, 1))

    found = load_data(*sources, cache_dir=tmp_path / "cache")

    np.testing.assert_array_equal(found.images, data.images if changed else other.images)
    np.testing.assert_array_equal(found.votes, votes if changed else data.votes)
    assert len(list((tmp_path / "cache").iterdir())) == 1


def flip_a_byte(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]


@pytest.mark.parametrize(
    "corrupt", [lambda content: b"", lambda content: content[:1000], lambda content: b"x" * 99, flip_a_byte]
)
def test_load_data_broken_cache_is_written_anew(
    tmp_path: Path,
    sources: tuple[Path, Path],
    data: FerData,
    corrupt: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_data(*sources, cache_dir=tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(corrupt(kept.read_bytes()))

    assert load_data(*sources, cache_dir=tmp_path / "cache").sha256() == data.sha256()
    forbid_reading(monkeypatch)
    assert load_data(*sources, cache_dir=tmp_path / "cache").sha256() == data.sha256()


def test_load_data_cache_with_other_arrays_is_written_anew(
    tmp_path: Path, sources: tuple[Path, Path], data: FerData
) -> None:
    load_data(*sources, cache_dir=tmp_path / "cache")
    (kept,) = (tmp_path / "cache").iterdir()
    np.savez(kept, images=data.images, emotion=data.emotion + 1, usage=data.usage)

    assert load_data(*sources, cache_dir=tmp_path / "cache").sha256() == data.sha256()


def test_load_data_cache_that_cannot_be_written_is_done_without(
    tmp_path: Path, sources: tuple[Path, Path], data: FerData
) -> None:
    (tmp_path / "file").write_text("no folder")

    assert load_data(*sources, cache_dir=tmp_path / "file" / "cache").sha256() == data.sha256()


def test_load_data_errors_are_not_cached(tmp_path: Path, sources: tuple[Path, Path]) -> None:
    sources[0].write_text("emotion,pixels\n")
    for _ in range(2):
        with pytest.raises(DataError, match="no column 'Usage'"):
            load_data(*sources, cache_dir=tmp_path / "cache")


def test_load_data_folder_is_cached_until_a_picture_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for emotion in EMOTIONS:
        (tmp_path / "root" / "train" / emotion).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "root" / "train" / emotion / "a.png"), np.full((48, 48), 9, np.uint8))
    load_data(tmp_path / "root", cache_dir=tmp_path / "cache")
    with monkeypatch.context() as patch:
        forbid_reading(patch)
        assert len(load_data(tmp_path / "root", cache_dir=tmp_path / "cache")) == 7
    cv2.imwrite(str(tmp_path / "root" / "train" / "sad" / "b.png"), np.full((48, 48), 9, np.uint8))

    assert len(load_data(tmp_path / "root", cache_dir=tmp_path / "cache")) == 8

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS
from train.data import SIDE, USAGES, load_data
from train.image_folders import read_image_folders


def write_picture(path: Path, shape: tuple[int, ...] = (48, 48), grey: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, content = cv2.imencode(path.suffix, np.full(shape, grey, np.uint8))
    assert done
    path.write_bytes(content.tobytes())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for split in ("train", "test"):
        for label, emotion in enumerate(EMOTIONS):
            write_picture(tmp_path / split / emotion / "a.png", grey=20 * label)
    return tmp_path


def test_load_data_folder_has_every_picture_with_its_label_and_split(root: Path) -> None:
    data = load_data(root)

    assert data.images.shape == (14, SIDE, SIDE)
    assert data.emotion.tolist() == [*range(7), *range(7)]
    assert data.usage.tolist() == [0] * 7 + [1] * 7
    assert data.images[:, 0, 0].tolist() == [20 * label for label in data.emotion]
    assert data.votes is None


@pytest.mark.parametrize("shape", [(48, 48), (96, 96, 3), (20, 20, 4), (31, 77), (200, 50, 3), (1, 1)])
def test_load_data_folder_takes_any_size_and_colour(root: Path, shape: tuple[int, ...]) -> None:
    write_picture(root / "train" / "happy" / "b.png", shape, grey=140)

    data = load_data(root)

    np.testing.assert_allclose(data.images[4], 140, atol=1)


def test_read_image_folders_keeps_the_shape_of_what_is_seen(root: Path) -> None:
    picture = np.zeros((40, 20), np.uint8)
    picture[10:30, :] = 200
    cv2.imwrite(str(root / "train" / "angry" / "a.png"), picture)

    images, _, _ = read_image_folders(root, USAGES, 40)

    # Twice as tall as wide: the middle stays in place and the sides repeat.
    np.testing.assert_array_equal(images[0][10:30], 200)
    np.testing.assert_array_equal(images[0][:10], 0)


def test_load_data_folder_file_name_tells_the_test_splits_apart(root: Path) -> None:
    write_picture(root / "test" / "sad" / "PrivateTest_12.jpg")
    write_picture(root / "test" / "sad" / "PublicTest_13.jpg")

    data = load_data(root)

    assert (data.usage == USAGES.index("PrivateTest")).sum() == 1
    assert (data.usage == USAGES.index("PublicTest")).sum() == 8


def test_load_data_folder_reads_other_names_of_emotions_and_skips_hidden_files(root: Path) -> None:
    (root / "train" / "happy").rename(root / "train" / "Happiness")
    (root / "train" / ".DS_Store").write_bytes(b"x")
    (root / "train" / "sad" / "Thumbs.db").write_bytes(b"x")

    assert load_data(root).emotion.tolist() == [*range(7), *range(7)]


def test_load_data_folder_train_alone_is_enough(root: Path) -> None:
    (root / "test").rename(root.with_name(root.name + "-kept-elsewhere"))

    assert len(load_data(root)) == 7


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: (root / "validation").mkdir(), "validation is an unknown split; allowed: test, train"),
        (lambda root: (root / "train" / "bored").mkdir(), "bored is an unknown emotion; allowed: angry, "),
        (lambda root: (root / "train" / "anger").mkdir(), "second folder for the emotion 'angry'"),
        (lambda root: (root / "test" / "fear" / "a.png").unlink(), "fear has no picture"),
        (lambda root: (root / "test" / "fear").rename(root / "test" / ".fear"), "fear has no picture"),
        (lambda root: (root / "train" / "sad" / "b.txt").write_text("x"), "b.txt is no picture"),
        (lambda root: (root / "train" / "sad" / "b.png").write_bytes(b"x"), "b.png cannot be opened"),
        (lambda root: (root / "train" / "sad" / "b.png").write_bytes(b""), "b.png cannot be opened"),
        (lambda root: (root / "train" / "sad" / "b.png").mkdir(), "b.png is no picture"),
    ],
)
def test_load_data_bad_folder_says_where_and_what(root: Path, make: object, message: str) -> None:
    make(root)

    with pytest.raises(DataError, match=message):
        load_data(root)


def test_load_data_empty_folder_raises(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no folder 'train' or 'test'"):
        load_data(tmp_path)


def test_load_data_folder_with_ferplus_raises(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="pictures in folders have no row numbers"):
        load_data(root, tmp_path / "fer2013new.csv")

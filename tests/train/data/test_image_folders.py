from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS
from tests.support.fer_rows import make_data, write_ferplus_csv
from train.data.fer_data import SIDE, USAGES, FerData, load_data
from train.data.image_folders import read_image_folders


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

    images = read_image_folders(root, USAGES, 40).images

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


def write_folders(root: Path, data: FerData, name: str) -> Path:
    """Every row as a picture, its name made of its split and row number."""
    for row, (image, emotion, usage) in enumerate(zip(data.images, data.emotion, data.usage, strict=True)):
        folder = root / ("train" if usage == 0 else "test") / EMOTIONS[emotion]
        folder.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / name.format(usage=USAGES[usage], row=row)), image)
    return root


@pytest.mark.parametrize("name", ["fer{row:07d}.png", "{usage}_{row:05d}.png"])
def test_load_data_folder_votes_are_found_by_file_name(tmp_path: Path, data: FerData, name: str) -> None:
    rng = np.random.default_rng(2)
    votes = rng.integers(0, 10, data.votes.shape).astype(np.uint8)
    data = FerData(data.images, data.emotion, data.usage, votes)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)

    found = load_data(write_folders(tmp_path / "root", data, name), tmp_path / "fer2013new.csv")

    known = {image.tobytes(): i for i, image in enumerate(data.images)}
    order = [known[image.tobytes()] for image in found.images]
    assert sorted(order) == list(range(len(data)))
    np.testing.assert_array_equal(found.votes, votes[order])
    np.testing.assert_array_equal(found.usage, data.usage[order])


def test_load_data_folder_ferplus_tells_the_test_splits_apart(tmp_path: Path) -> None:
    data = make_data(training=7, public=14)
    data = FerData(data.images, data.emotion, np.repeat([0, 1, 2], 7).astype(np.uint8), data.votes)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)

    root = write_folders(tmp_path / "root", data, "fer{row:07d}.png")

    assert np.bincount(load_data(root, tmp_path / "fer2013new.csv").usage).tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{row}.png", "0.png has no row in fer2013new.csv: its name is neither"),
        ("{usage}_9{row:05d}.png", "Training_900000.png has no row in"),
        ("PublicTest_{row:05d}.png", "PublicTest_00000.png has no row in"),
    ],
)
def test_load_data_folder_ferplus_without_that_name_raises(
    tmp_path: Path, data: FerData, name: str, message: str
) -> None:
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)
    root = write_folders(tmp_path / "root", data, name)

    with pytest.raises(DataError, match=message):
        load_data(root, tmp_path / "fer2013new.csv")


def test_load_data_folder_ferplus_of_another_split_raises(tmp_path: Path, data: FerData) -> None:
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)
    root = write_folders(tmp_path / "root", data, "fer{row:07d}.png")
    (root / "train" / "angry" / "fer0000000.png").rename(root / "test" / "angry" / "fer0000000.png")

    with pytest.raises(DataError, match="which is of Training, and stands in the folder of PublicTest"):
        load_data(root, tmp_path / "fer2013new.csv")


def test_load_data_folder_ferplus_missing_raises(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fer2013new\.csv does not exist"):
        load_data(root, tmp_path / "fer2013new.csv")


def test_a_data_set_is_split_by_its_names_or_by_people(tmp_path: Path) -> None:
    codes = {"AF": "fear", "AN": "angry", "DI": "disgust", "HA": "happy", "NE": "neutral", "SA": "sad"}
    codes |= {"SU": "surprise"}
    for person in range(10):
        for code in codes:
            write_picture(tmp_path / "KDEF" / f"AF{person:02d}" / f"AF{person:02d}{code}S.png")
    found = read_image_folders(tmp_path / "KDEF", USAGES, 48)
    assert len(found.images) == 70
    tested = {path.name[:4] for path, usage in zip(found.paths, found.usage, strict=True) if usage == 1}
    learned = {path.name[:4] for path, usage in zip(found.paths, found.usage, strict=True) if usage == 0}
    assert (len(tested), len(learned), tested & learned) == (2, 8, set())
    for number in range(1, 8):
        write_picture(tmp_path / "RAF" / "train" / str(number) / f"train_0000{number}_aligned.png")
        write_picture(tmp_path / "RAF" / "test" / str(number) / f"test_000{number}_aligned.png")
    found = read_image_folders(tmp_path / "RAF", USAGES, 48)
    assert sorted(found.usage.tolist()) == [0] * 7 + [1] * 7
    assert EMOTIONS[found.emotion[0]] == "surprise"

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS, FERPLUS_INDEX_OF_EMOTION
from tests.support.fer_rows import FERPLUS_COLUMN_OF_EMOTION, write_ferplus_csv, write_kaggle_csv
from train.data.fer_data import (
    RAREST_WEIGHT,
    FerData,
    copies_of,
    label_weights,
    load_data,
    near_copies_of,
    rarity_weights,
    repeats,
    training_rows,
    vote_shares,
)

PIXELS = " ".join(["7"] * 2304)


def save_npz(path: Path, data: FerData, **changes: object) -> Path:
    arrays = {"images": data.images, "emotion": data.emotion, "usage": data.usage, "votes": data.votes}
    np.savez(path, **{key: value for key, value in (arrays | changes).items() if value is not None})
    return path


def assert_equal(found: FerData, expected: FerData) -> None:
    for name in ("images", "emotion", "usage", "votes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_load_data_csv_and_npz_give_the_same(tmp_path: Path, data: FerData) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", data)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)

    from_csv = load_data(tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv")
    from_npz = load_data(save_npz(tmp_path / "fer2013.npz", data))

    assert_equal(from_csv, data)
    assert_equal(from_npz, data)
    assert from_csv.sha256() == from_npz.sha256()


def test_load_data_without_ferplus_has_no_votes(tmp_path: Path, data: FerData) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", data)

    assert load_data(tmp_path / "fer2013.csv").votes is None


def test_load_data_spaced_column_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "icml_face_data.csv"
    path.write_text(f"emotion, Usage, pixels\n3,Training,{PIXELS}\n")

    loaded = load_data(path)

    assert EMOTIONS[loaded.emotion[0]] == "happy"
    assert (loaded.images == 7).all()


def test_load_data_one_split_takes_its_votes_from_all_of_ferplus(tmp_path: Path, data: FerData) -> None:
    part = data.split("PublicTest")
    write_kaggle_csv(tmp_path / "public.csv", part)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data)

    assert_equal(load_data(tmp_path / "public.csv", tmp_path / "fer2013new.csv"), part)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'emotion'; its columns are none"),
        ("emotion,Usage\n", "no column 'pixels'; its columns are emotion, Usage"),
        ("emotion,pixels,Usage\n", "has no rows"),
        (f"emotion,pixels,Usage\n7,{PIXELS},Training\n", "line 2: emotion must be 0-6, not '7'"),
        (f"emotion,pixels,Usage\nhappy,{PIXELS},Training\n", "line 2: emotion must be 0-6, not 'happy'"),
        (f"emotion,pixels,Usage\n3,{PIXELS},Test\n", "line 2: Usage must be one of Training"),
        (f"emotion,pixels,Usage\n3,{PIXELS}\n", "line 2: Usage must be one of Training"),
        ("emotion,pixels,Usage\n3,1 2 3,Training\n", "line 2: 2304 pixels are needed, 3 are there"),
        (
            f"emotion,pixels,Usage\n3,{PIXELS[:-1]}999,Training\n",
            "pixels must be 0-255, found 7 to 999",
        ),
        (f"emotion,pixels,Usage\n3,{PIXELS[:-1]}x,Training\n", "line 2: pixels must be whole numbers"),
    ],
)
def test_load_data_bad_csv_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(text)

    with pytest.raises(DataError, match=message):
        load_data(path)


def test_load_data_binary_csv_raises(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(b"\xff\xfe\x00\x81" * 10)

    with pytest.raises(DataError, match="cannot be read as CSV"):
        load_data(path)


@pytest.mark.parametrize("name", ["missing.csv", "missing.npz"])
def test_load_data_missing_file_raises(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_data(tmp_path / name)


def test_load_data_unknown_form_raises(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.zip"
    path.write_bytes(b"PK")

    with pytest.raises(DataError, match=r"a \.csv or \.npz file or a folder of pictures is allowed"):
        load_data(path)


def test_load_data_npz_that_is_none_raises(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.npz"
    path.write_bytes(b"nothing of the kind")

    with pytest.raises(DataError, match=r"cannot be read as \.npz"):
        load_data(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"usage": None}, "lacks the array 'usage'"),
        (
            {"images": np.zeros((92, 32, 32), np.uint8)},
            r"images must be uint8 \(92, 48, 48\), not uint8",
        ),
        ({"images": np.zeros((92, 48, 48), np.float32)}, "images must be uint8"),
        ({"emotion": np.full(92, 7, np.uint8)}, "emotion must be 0-6, found 7"),
        ({"votes": np.zeros((92, 8), np.uint8)}, r"votes must be uint8 \(92, 10\)"),
    ],
)
def test_load_data_bad_npz_names_the_array(
    tmp_path: Path, data: FerData, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_data(save_npz(tmp_path / "fer2013.npz", data, **changes))


def test_load_data_ferplus_of_other_rows_raises(tmp_path: Path, data: FerData) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", data)
    write_ferplus_csv(tmp_path / "fer2013new.csv", data.rows(np.arange(len(data)) != 5))

    with pytest.raises(DataError, match=r"has 91 rows of the same splits, the FER-2013 file has 92"):
        load_data(tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv")


def test_load_data_ferplus_in_other_order_raises(tmp_path: Path, data: FerData) -> None:
    write_kaggle_csv(tmp_path / "fer2013.csv", data)
    order = np.arange(len(data))[::-1]
    turned = FerData(data.images[order], data.emotion[order], data.usage[order], data.votes[order])
    write_ferplus_csv(tmp_path / "fer2013new.csv", turned)

    with pytest.raises(DataError, match="row 1 is of PublicTest, the FER-2013 file's is of Training"):
        load_data(tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv")


def test_split_unknown_or_empty_raises(data: FerData) -> None:
    with pytest.raises(DataError, match="usage must be one of"):
        data.split("Validation")
    with pytest.raises(DataError, match="no PrivateTest row; it has Training, PublicTest"):
        data.split("PrivateTest")


def test_training_rows_copy_of_public_row_is_left_out_if_asked(data: FerData) -> None:
    images = np.random.default_rng(4).integers(0, 256, data.images.shape).astype(np.uint8)
    images[3] = images[-1]
    leaking = FerData(images, data.emotion, data.usage, data.votes)

    kept, dropped = training_rows(leaking, drop_leaks=True)
    everything, none_dropped = training_rows(leaking, drop_leaks=False)

    assert (len(kept), dropped) == (63, 1)
    assert (len(everything), none_dropped) == (64, 0)
    assert not copies_of(kept.images, leaking.split("PublicTest").images).any()


def test_near_copies_of_finds_photos_cut_lit_and_mirrored_anew() -> None:
    rng = np.random.default_rng(1)
    # Smooth like photos: a copy moved by a pixel must still be like its original.
    photos = np.stack([cv2.GaussianBlur(rng.random((60, 60)), (0, 0), 4) for _ in range(5)])
    photos = 255 * (photos - photos.min()) / np.ptp(photos)
    known = photos[:3, 4:52, 4:52].astype(np.uint8)
    moved, mirrored = photos[0, 4:52, 5:53], photos[1, 4:52, 4:52][:, ::-1]
    darker, other = 0.5 * photos[2, 4:52, 4:52] + 20, photos[3, 4:52, 4:52]
    asked = np.stack([known[0], moved, mirrored, darker, other, np.full((48, 48), 90)]).astype(np.uint8)

    assert near_copies_of(asked, known).tolist() == [True, True, True, True, False, False]
    assert not near_copies_of(asked, np.full((2, 48, 48), 90, np.uint8)).any()
    assert copies_of(asked, known).tolist() == [True, False, False, False, False, False]


def test_repeats_marks_all_but_the_first() -> None:
    images = np.zeros((4, 48, 48), np.uint8)
    images[1] = 1

    assert repeats(images).tolist() == [False, False, True, True]
    assert repeats(images[:0]).shape == (0,)


def test_vote_shares_single_votes_are_dropped() -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[0, [0, 1, 2]] = 6, 3, 1
    votes[1, :10] = 1

    shares = vote_shares(votes)

    np.testing.assert_allclose(shares[0, :3], [2 / 3, 1 / 3, 0])
    assert shares.dtype == np.float32
    assert not shares[1:].any()


def test_test_data_votes_follow_the_label_order() -> None:
    assert FERPLUS_COLUMN_OF_EMOTION == FERPLUS_INDEX_OF_EMOTION


def shares_of(*counts: int) -> np.ndarray:
    return np.repeat(np.eye(len(counts), dtype=np.float32), counts, axis=0)


def test_rarity_weights_balance_zero_is_one_for_every_row() -> None:
    np.testing.assert_array_equal(rarity_weights(shares_of(5, 3, 0), 0.0), np.ones(8, np.float32))


def test_rarity_weights_balance_one_gives_classes_the_same_total() -> None:
    weights = rarity_weights(shares_of(10, 20, 0), 1.0)

    assert weights.mean() == pytest.approx(1)
    assert weights[:10].sum() == pytest.approx(weights[10:].sum())


def test_rarity_weights_rarest_class_is_limited() -> None:
    weights = rarity_weights(shares_of(10_000, 1), 1.0)

    assert weights[-1] / weights[0] < 10_000
    assert weights[-1] <= 2 * RAREST_WEIGHT


def test_rarity_weights_mixed_votes_lie_between_their_classes() -> None:
    shares = np.concatenate([shares_of(30, 5), np.array([[0.5, 0.5]], np.float32)])

    weights = rarity_weights(shares, 0.5)

    assert weights[0] < weights[-1] < weights[30]


def test_label_weights_balance_gives_labels_the_same_total() -> None:
    emotion = np.repeat([0, 1, 3], [10, 1, 40]).astype(np.uint8)

    weights = label_weights(emotion, 1.0)

    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose([weights[emotion == each].sum() for each in (0, 1, 3)], 17, rtol=1e-5)
    np.testing.assert_array_equal(label_weights(emotion, 0.0), np.ones(51, np.float32))
    half = label_weights(emotion, 0.5)
    assert half[0] / half[-1] == pytest.approx(2)


def test_training_rows_without_an_emotion_raises(data: FerData) -> None:
    with pytest.raises(DataError, match="no Training row is 'disgust'"):
        training_rows(data.rows(data.emotion != 1), drop_leaks=False)


def test_with_label_votes_gives_every_row_its_label(data: FerData) -> None:
    bare = FerData(data.images, data.emotion, data.usage)

    votes = bare.with_label_votes().votes

    assert vote_shares(votes).max(axis=1).tolist() == [1.0] * len(data)
    np.testing.assert_array_equal(votes.argmax(axis=1), np.take(FERPLUS_INDEX_OF_EMOTION, data.emotion))
    assert data.with_label_votes() is data


def test_load_data_empty_or_plain_array_npz_raises(tmp_path: Path) -> None:
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save(tmp_path / "plain.npy", np.zeros(3))
    (tmp_path / "plain.npy").rename(tmp_path / "plain.npz")

    for name in ("empty.npz", "plain.npz"):
        with pytest.raises(DataError, match=r"cannot be read as \.npz"):
            load_data(tmp_path / name)

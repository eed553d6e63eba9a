"""Small generated data for the tests of training, in the forms that people have."""

import csv
from pathlib import Path

import numpy as np
import pytest

from train.data.fer_data import FerData

KERAS_WARNINGS = pytest.mark.filterwarnings(
    # Keras reads TensorFlow's variables by np.array; their __array__ does not know NumPy 2's `copy` yet.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


FERPLUS_COLUMN_OF_EMOTION = (4, 5, 6, 1, 3, 2, 0)


def make_data(training: int = 64, public: int = 28, *, seed: int = 0) -> FerData:
    """Rows whose label can be seen: stripes of its own direction and width, and nine votes for the same."""
    rng = np.random.default_rng(seed)
    count = training + public
    emotion = (np.arange(count) % 7).astype(np.uint8)
    images = np.stack([_stripes(label) for label in emotion]) + rng.integers(0, 60, (count, 48, 48))
    images = images.astype(np.uint8)
    votes = np.zeros((count, 10), np.uint8)
    votes[np.arange(count), np.take(FERPLUS_COLUMN_OF_EMOTION, emotion)] = 9
    votes[:, 8] = 1
    usage = np.repeat([0, 1], [training, public]).astype(np.uint8)
    return FerData(images, emotion, usage, votes)


def _stripes(label: int) -> np.ndarray:
    """Plain grey for label 6; lines 2, 4 or 8 pixels wide in one of two directions for the others."""
    if label == 6:
        return np.full((48, 48), 90)
    lines = np.where(np.arange(48) // 2 ** (1 + label % 3) % 2 == 0, 0, 180)
    rows = np.repeat(lines[:, None], 48, axis=1)
    return rows if label < 3 else rows.T


def write_kaggle_csv(path: Path, data: FerData) -> None:
    """Kaggle's fer2013.csv."""
    usages = ("Training", "PublicTest", "PrivateTest")
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["emotion", "pixels", "Usage"])
        for image, emotion, usage in zip(data.images, data.emotion, data.usage, strict=True):
            out.writerow([emotion, " ".join(map(str, image.ravel().tolist())), usages[usage]])


def write_ferplus_csv(path: Path, data: FerData) -> None:
    """FER+'s fer2013new.csv."""
    names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    usages = ("Training", "PublicTest", "PrivateTest")
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Usage", "Image name", *names.split(",")])
        for row, (votes, usage) in enumerate(zip(data.votes, data.usage, strict=True)):
            out.writerow([usages[usage], f"fer{row:07d}.png", *votes.tolist()])

"""FER-2013 and its FER+ votes from the files that users have, checked, as arrays."""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from train.image_folders import read_image_folders

SIDE = 48
USAGES = ("Training", "PublicTest", "PrivateTest")
"""Kaggle's names of the splits; their positions are the ids in FerData.usage."""

NEAR_COPY_CORRELATION = 0.95
"""From here on two pictures count as one photo cut out or compressed anew; looked at by eye on FER-2013."""

RAREST_WEIGHT = 4.0
"""The most that a class may count in `rarity_weights`, against the average row."""

_ROWS_AT_ONCE = 4096
"""Rows compared with all others in one product: bounds its memory to about 120 MB on FER-2013."""

_CSV_COLUMNS = ("emotion", "pixels", "Usage")
_FERPLUS_COLUMNS = (*FERPLUS_VOTES[:9], "NF")
"""FER+'s own column names: not-a-face is called NF there."""


@dataclass(frozen=True)
class FerData:
    """Rows of FER-2013.

    Attributes:
        images: uint8 (N, 48, 48), grey, 0-255.
        emotion: uint8 (N,), original label as a position in EMOTIONS.
        usage: uint8 (N,), split as a position in USAGES.
        votes: uint8 (N, 10), taggers a column of FERPLUS_VOTES, or None when FER+ was not given.
    Raises: DataError: shapes, types or values other than these.
    """

    images: NDArray[np.uint8]
    emotion: NDArray[np.uint8]
    usage: NDArray[np.uint8]
    votes: NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        n = len(self.emotion)
        _check_array("images", self.images, (n, SIDE, SIDE), highest=255)
        _check_array("emotion", self.emotion, (n,), highest=len(EMOTIONS) - 1)
        _check_array("usage", self.usage, (n,), highest=len(USAGES) - 1)
        if self.votes is not None:
            _check_array("votes", self.votes, (n, len(FERPLUS_VOTES)), highest=255)

    def __len__(self) -> int:
        return len(self.emotion)

    def rows(self, keep: NDArray[np.bool_]) -> "FerData":
        """The rows where `keep`, bool (N,), is true, in their order."""
        votes = None if self.votes is None else self.votes[keep]
        return FerData(self.images[keep], self.emotion[keep], self.usage[keep], votes)

    def split(self, usage: str) -> "FerData":
        """The rows of one split. Raises DataError: unknown split name, or no row in it."""
        if usage not in USAGES:
            raise DataError(f"usage must be one of {', '.join(USAGES)}, not {usage!r}. Change --usage")
        part = self.rows(self.usage == USAGES.index(usage))
        if not len(part):
            found = [name for i, name in enumerate(USAGES) if (self.usage == i).any()]
            raise DataError(
                f"the data has no {usage} row; it has {', '.join(found) or 'none'}. Change --usage or --data"
            )
        return part

    def sha256(self) -> str:
        """SHA-256 over all arrays, hexadecimal: names the data in a model's meta.json."""
        digest = hashlib.sha256()
        for array in (self.images, self.emotion, self.usage, self.votes):
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def load_data(path: Path, ferplus_path: Path | None = None) -> FerData:
    """Read FER-2013 from Kaggle's fer2013.csv, from a folder of pictures or from an .npz of FerData's arrays.

    Args:
        path: a folder holds `train/<emotion>/*` and `test/<emotion>/*`.
        ferplus_path: FER+'s fer2013new.csv with the same rows in the same order; an .npz may hold the votes.
    Raises: DataError: the file is missing, of another form, or has a value that is not allowed.
    """
    if path.is_dir():
        return _load_folder(path, ferplus_path)
    if not path.is_file():
        raise DataError(
            f"{path} does not exist. Give --data fer2013.csv, a folder of pictures or an .npz file"
        )
    readers = {".csv": read_fer2013_csv, ".npz": read_npz}
    if path.suffix.lower() not in readers:
        raise DataError(
            f"{path.name} has an unknown form; .csv and .npz are allowed. Give --data one of these"
        )
    data = readers[path.suffix.lower()](path)
    if not len(data):
        raise DataError(f"{path.name} has no rows. Fetch it again")
    if ferplus_path is None:
        return data
    return FerData(data.images, data.emotion, data.usage, read_ferplus_csv(ferplus_path, data.usage))


def _load_folder(path: Path, ferplus_path: Path | None) -> FerData:
    if ferplus_path is not None:
        raise DataError(
            f"{ferplus_path.name} goes by the rows of fer2013.csv, and pictures in folders have no row "
            "numbers. Give --data fer2013.csv, or leave out --ferplus"
        )
    return FerData(*read_image_folders(path, USAGES, SIDE))


def read_npz(path: Path) -> FerData:
    """Read arrays `images`, `emotion`, `usage` and, if there, `votes`. Raises DataError."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, BadZipFile) as exc:
        raise DataError(f"{path.name} cannot be read as .npz ({exc}). Fetch it again") from exc
    missing = [name for name in ("images", "emotion", "usage") if name not in arrays]
    if missing:
        raise DataError(
            f"{path.name} lacks the array {missing[0]!r}; images, emotion, usage and, at will, votes "
            f"are read. It has: {', '.join(sorted(arrays)) or 'none'}"
        )
    return FerData(arrays["images"], arrays["emotion"], arrays["usage"], arrays.get("votes"))


def read_fer2013_csv(path: Path) -> FerData:
    """Read Kaggle's fer2013.csv: columns emotion, pixels (2,304 numbers) and Usage. Raises DataError."""
    images, emotions, usages = [], [], []
    for line, row in _csv_rows(path, _CSV_COLUMNS):
        where = f"{path.name} line {line}"
        images.append(_parse_pixels(row["pixels"], where))
        emotions.append(_parse_count(row["emotion"], where, "emotion", highest=len(EMOTIONS) - 1))
        usages.append(_parse_usage(row["Usage"], where))
    pixels = np.array(images, np.uint8).reshape(-1, SIDE, SIDE)
    return FerData(pixels, np.array(emotions, np.uint8), np.array(usages, np.uint8))


def read_ferplus_csv(path: Path, usage: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Read FER+'s fer2013new.csv (github.com/microsoft/FERPlus).

    Args:
        usage: uint8 (N,), splits of the FER-2013 rows that the votes belong to. Votes for splits that are not
            among them are left out, so that FER+'s whole file goes with a part of FER-2013.
    Returns: uint8 (N, 10), votes in the order of FERPLUS_VOTES.
    Raises: DataError: the rows are not those of the FER-2013 file, or a value is not allowed.
    """
    votes, usages = [], []
    for line, row in _csv_rows(path, ("Usage", *_FERPLUS_COLUMNS)):
        where = f"{path.name} line {line}"
        if (row_usage := _parse_usage(row["Usage"], where)) in usage:
            votes.append([_parse_count(row[name], where, name, highest=255) for name in _FERPLUS_COLUMNS])
            usages.append(row_usage)
    if len(votes) != len(usage):
        raise DataError(
            f"{path.name} has {len(votes)} rows of the same splits, the FER-2013 file has {len(usage)}. "
            "Give the two files that belong together, neither sorted nor filtered"
        )
    differing = np.flatnonzero(np.array(usages) != usage)
    if differing.size:
        raise DataError(
            f"{path.name} row {differing[0] + 1} is of {USAGES[usages[differing[0]]]}, the FER-2013 "
            f"file's is of {USAGES[usage[differing[0]]]}. Give two files in the same order"
        )
    return np.array(votes, np.uint8).reshape(-1, len(FERPLUS_VOTES))


def copies_of(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each image (N, 48, 48), whether the same pixels stand among `others` (M, 48, 48): bool (N,)."""
    known = {image.tobytes() for image in others}
    return np.array([image.tobytes() in known for image in images], bool)


def near_copies_of(images: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each image (N, 48, 48), whether `others` (M, 48, 48) hold nearly the same, or its mirror image.

    Two images are near copies when their pixels, halved in resolution, correlate (Pearson) at
    NEAR_COPY_CORRELATION or more: the same photo moved by a pixel, cut a little wider, brighter or darker, or
    with a watermark. An image of one grey has no correlation and is nobody's copy.

    Returns: bool (N,), true for exact copies too.
    """
    found = np.zeros(len(images), bool)
    wanted = _standardized(images)
    known = np.concatenate([_standardized(others), _standardized(others[:, :, ::-1])]).T
    for start in range(0, len(images), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        found[part] = (wanted[part] @ known).max(axis=1, initial=0.0) >= NEAR_COPY_CORRELATION
    return found


def _standardized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """float32 (N, P): half-size pixels with mean 0 and length 1, so that products are correlations."""
    height, width = images.shape[1] // 2, images.shape[2] // 2
    pixels = images.reshape(-1, height, 2, width, 2).mean(axis=(2, 4), dtype=np.float32)
    pixels = pixels.reshape(len(images), -1)
    pixels -= pixels.mean(axis=1, keepdims=True)
    return pixels / np.maximum(np.linalg.norm(pixels, axis=1, keepdims=True), 1e-3)


def repeats(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """For each image (N, 48, 48), whether the same pixels stand earlier in the array: bool (N,)."""
    seen: set[bytes] = set()
    found = np.zeros(len(images), bool)
    for i, image in enumerate(images):
        key = image.tobytes()
        found[i] = key in seen
        seen.add(key)
    return found


def training_rows(data: FerData, *, drop_leaks: bool) -> tuple[FerData, int]:
    """The Training split, and how many of its rows were left out as near copies of other splits' rows."""
    training = data.split("Training")
    if not drop_leaks:
        return training, 0
    leaked = near_copies_of(training.images, data.images[data.usage != USAGES.index("Training")])
    return training.rows(~leaked), int(leaked.sum())


def vote_shares(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Soft FER+ targets: single votes dropped as noise, the rest scaled to sum to 1 (Barsoum et al. 2016).

    Args: votes: (N, 10).
    Returns: float32 (N, 10); a row without any vote left is all zero and so adds nothing to the loss.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.float32)
    return kept / np.maximum(kept.sum(axis=1, keepdims=True), 1.0)


def rarity_weights(shares: NDArray[np.float32], balance: float) -> NDArray[np.float32]:
    """How much each row counts when rare classes are to count more.

    A class of mean share m has the weight m ** -balance, at most four times that of the average row: without
    that limit, the 140 rows' worth of "not a face" would outweigh everything. A row's weight is the mean of
    its classes' weights by its own votes.

    Args:
        shares: float32 (N, K), targets of all training rows as from `vote_shares`.
        balance: 0 (all weights are 1) to 1 (all classes count the same, but for the limit).
    Returns: float32 (N,), of mean 1.
    """
    mean = shares.mean(axis=0)
    present = mean > 0
    by_class = np.where(present, np.where(present, mean, 1.0) ** -balance, 0.0)
    by_class = np.minimum(by_class, RAREST_WEIGHT * (mean * by_class).sum() / mean.sum())
    rows = shares @ by_class
    return (rows / rows.mean()).astype(np.float32)


def _csv_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            # Kaggle's icml_face_data.csv has a space before two of its column names.
            reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in columns if name not in reader.fieldnames]
            if missing:
                raise DataError(
                    f"{path.name} has no column {missing[0]!r}; its columns are "
                    f"{', '.join(reader.fieldnames) or 'none'}. Give the file with {', '.join(columns)}"
                )
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise DataError(
            f"{path} cannot be read as CSV ({exc}). Check the path, or fetch the file again"
        ) from exc


def _parse_pixels(text: str | None, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array((text or "").split(), np.int64)
    except (ValueError, OverflowError) as exc:
        raise DataError(f"{where}: pixels must be whole numbers ({exc}). Fetch the file again") from exc
    if values.size != SIDE * SIDE:
        raise DataError(
            f"{where}: {SIDE * SIDE} pixels are needed, {values.size} are there. Fetch the file again"
        )
    if values.min() < 0 or values.max() > 255:
        raise DataError(
            f"{where}: pixels must be 0-255, found {values.min()} to {values.max()}. Fetch the file again"
        )
    return values.astype(np.uint8)


def _parse_count(text: str | None, where: str, name: str, *, highest: int) -> int:
    if text is None or not text.strip().isdecimal() or int(text) > highest:
        raise DataError(
            f"{where}: {name} must be 0-{highest}, not {text!r}. Mend that row or fetch the file again"
        )
    return int(text)


def _parse_usage(text: str | None, where: str) -> int:
    if text not in USAGES:
        raise DataError(f"{where}: Usage must be one of {', '.join(USAGES)}, not {text!r}. Mend that row")
    return USAGES.index(text)


def _check_array(name: str, array: NDArray[np.uint8], shape: tuple[int, ...], *, highest: int) -> None:
    if array.shape != shape or array.dtype != np.uint8:
        raise DataError(
            f"array {name} must be uint8 {shape}, not {array.dtype} {array.shape}. Write the file again"
        )
    if array.size and array.max() > highest:
        raise DataError(f"array {name} must be 0-{highest}, found {array.max()}. Write the file again")

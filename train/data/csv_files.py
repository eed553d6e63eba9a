"""Read Kaggle's and FER+'s CSV files as arrays, checked."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import DataError
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from train.data.progress import Watch, unwatched
from train.data.splits import SIDE, USAGES

_CSV_COLUMNS = ("emotion", "pixels", "Usage")
_FERPLUS_COLUMNS = (*FERPLUS_VOTES[:9], "NF")
"""FER+'s own column names: not-a-face is called NF there."""


@dataclass(frozen=True)
class FerPlusRows:
    """It holds the rows of a fer2013new.csv.

    Attributes:
        file_name: of the CSV, for messages.
        usage: uint8 (N,), split as a position in USAGES.
        names: of the pictures; FER+ leaves them empty where there is no face.
        votes: uint8 (N, 10), taggers a column of FERPLUS_VOTES.
    """

    file_name: str
    usage: NDArray[np.uint8]
    names: tuple[str, ...]
    votes: NDArray[np.uint8]


def read_fer2013_csv(
    path: Path, watch: Watch = unwatched
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Read Kaggle's fer2013.csv or icml_face_data.csv: columns emotion, pixels (2,304 numbers) and
    Usage.

    Returns: uint8 images (N, 48, 48); emotion (N,); usage (N,). Raises: DataError.
    """
    images, emotions, usages = [], [], []
    for line, row in watch(_csv_rows(path, _CSV_COLUMNS), path.name, _count_rows(path)):
        where = f"{path.name} line {line}"
        images.append(_parse_pixels(row["pixels"], where))
        emotions.append(_parse_count(row["emotion"], where, "emotion", highest=len(EMOTIONS) - 1))
        usages.append(_parse_usage(row["Usage"], where))
    pixels = np.array(images, np.uint8).reshape(-1, SIDE, SIDE)
    return pixels, np.array(emotions, np.uint8), np.array(usages, np.uint8)


def read_ferplus_csv(path: Path) -> FerPlusRows:
    """Read FER+'s fer2013new.csv (github.com/microsoft/FERPlus). Raises DataError."""
    votes, usages, names = [], [], []
    for line, row in _csv_rows(path, ("Usage", *_FERPLUS_COLUMNS)):
        where = f"{path.name} line {line}"
        votes.append([_parse_count(row[name], where, name, highest=255) for name in _FERPLUS_COLUMNS])
        usages.append(_parse_usage(row["Usage"], where))
        names.append(row.get("Image name") or "")
    votes_of_rows = np.array(votes, np.uint8).reshape(-1, len(FERPLUS_VOTES))
    return FerPlusRows(path.name, np.array(usages, np.uint8), tuple(names), votes_of_rows)


def votes_by_order(rows: FerPlusRows, usage: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the votes for the rows of a FER-2013 file, which has no names.

    Args:
        usage: uint8 (N,), splits of the FER-2013 rows. Votes for splits that are not among them are
            left out, so that FER+'s whole file goes with a part of FER-2013.
    Returns: uint8 (N, 10).
    Raises: DataError: the rows are not those of the FER-2013 file.
    """
    keep = np.isin(rows.usage, usage)
    usages = rows.usage[keep]
    if len(usages) != len(usage):
        raise DataError(
            f"{rows.file_name} has {len(usages)} rows of the same splits, the FER-2013 file has "
            f"{len(usage)}. Give the two files that belong together, neither sorted nor filtered"
        )
    differing = np.flatnonzero(usages != usage)
    if differing.size:
        raise DataError(
            f"{rows.file_name} row {differing[0] + 1} is of {USAGES[usages[differing[0]]]}, the FER-2013 "
            f"file's is of {USAGES[usage[differing[0]]]}. Give two files in the same order"
        )
    return rows.votes[keep]


def _count_rows(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            blocks = iter(lambda: file.read(1 << 22), b"")
            return max(0, sum(block.count(b"\n") for block in blocks) - 1)
    except OSError:
        # Reading it for real says what is wrong.
        return None


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

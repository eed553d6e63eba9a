"""Find FER+ votes for pictures in folders by their file names."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import DataError
from train.data.csv_files import FerPlusRows
from train.data.splits import USAGES

_ROW_NAME = re.compile(rf"({'|'.join(USAGES)})_(\d+)")
"""Split and row number in FER-2013, as some write it out: Training_00012.png."""


def votes_by_name(
    rows: FerPlusRows, paths: tuple[Path, ...], usage: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the votes for pictures named as in FER+ (fer0000012.png) or by split and row
    (Training_00012.png).

    Args:
        paths: of the N pictures; any ending will do.
        usage: uint8 (N,), splits that the folders say.
    Returns: uint8 votes (N, 10), and uint8 splits (N,): FER+ knows the two test splits apart.
    Raises: DataError: a picture without its row, or in the folder of another split than its row.
    """
    numbers = {Path(name).stem: row for row, name in enumerate(rows.names) if name}
    found = np.array([_row_of(path, numbers, rows) for path in paths], np.int64)
    training = USAGES.index("Training")
    moved = np.flatnonzero((rows.usage[found] == training) != (usage == training))
    if moved.size:
        path, row = paths[moved[0]], found[moved[0]]
        raise DataError(
            f"{path} is row {row + 1} of {rows.file_name}, which is of {USAGES[rows.usage[row]]}, and "
            f"stands in the folder of {USAGES[usage[moved[0]]]}. Give the two that belong together, or leave "
            "out --ferplus"
        )
    return rows.votes[found], rows.usage[found]


def _row_of(path: Path, numbers: dict[str, int], rows: FerPlusRows) -> int:
    if path.stem in numbers:
        return numbers[path.stem]
    named = _ROW_NAME.fullmatch(path.stem)
    usage, row = (named[1], int(named[2])) if named else ("", len(rows.names))
    # Kaggle's own pictures have numbers of this form that are no row numbers: the split must agree
    # too.
    if row >= len(rows.names) or USAGES[rows.usage[row]] != usage:
        raise DataError(
            f"{path} has no row in {rows.file_name}: its name is neither one of the column 'Image name' "
            "(fer0000012.png) nor a split and row number (Training_00012.png). Give --data fer2013.csv, or "
            "leave out --ferplus"
        )
    return row

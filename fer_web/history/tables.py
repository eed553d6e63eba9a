"""Sample tables cut and put together."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.history.types import SampleTable


def rows_of(table: SampleTable, rows: slice | NDArray[Any]) -> SampleTable:
    """The chosen rows: a slice, positions, or a mask (N,)."""
    return SampleTable(*(column[rows] for column in vars(table).values()))


def joined(tables: Iterable[SampleTable]) -> SampleTable:
    """One table after the other; there must be one at least."""
    columns = zip(*(vars(table).values() for table in tables), strict=True)
    return SampleTable(*(np.concatenate(parts) for parts in columns))


def portions(table: SampleTable, size: int) -> Iterator[SampleTable]:
    """The table in parts of `size` rows; the last one may be shorter."""
    return (rows_of(table, slice(first, first + size)) for first in range(0, len(table), size))

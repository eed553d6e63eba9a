"""Sample tables cut and put together."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.history.types import NOT_TOLD, Sample, SampleTable
from fer_web.labels import EMOTIONS


def table_of(samples: Sequence[Sample]) -> SampleTable:
    """Samples as columns, in their order."""
    return SampleTable(
        at_s=np.array([each.at_s for each in samples], np.float64),
        face=np.array([each.face for each in samples], np.int32),
        box=np.array([each.box for each in samples], np.float32).reshape(-1, 4),
        scores=np.array([each.scores for each in samples], np.float32).reshape(-1, len(EMOTIONS)),
        label=np.array([each.label for each in samples], np.int8),
        confidence=np.array([each.confidence for each in samples], np.float32),
        is_sure=np.array([each.is_sure for each in samples], np.bool_),
        rival=told([each.rival for each in samples]),
        reason=told([each.reason for each in samples]),
    )


def told(positions: Iterable[int | None]) -> NDArray[np.int8]:
    """A column of positions, NOT_TOLD for None."""
    return np.array([NOT_TOLD if each is None else each for each in positions], np.int8)


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

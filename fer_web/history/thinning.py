"""Thins samples to as many as are drawn: means of short steps of time, for each face. Pure NumPy."""

import numpy as np
from numpy.typing import NDArray

from fer_web.history.sample_tables import rows_of
from fer_web.history.types import NOT_TOLD, SampleTable


def within(table: SampleTable, from_s: float | None, to_s: float | None) -> SampleTable:
    """The samples of a window of time, its ends included; None is no bound."""
    if from_s is None and to_s is None:
        return table
    low, high = -np.inf if from_s is None else from_s, np.inf if to_s is None else to_s
    return rows_of(table, (table.at_s >= low) & (table.at_s <= high))


def thinned(table: SampleTable, points: int) -> tuple[SampleTable, float]:
    """Means of each face's samples in steps of equal length; a table that is short enough stays as it is.

    The label is the one that most samples of a step had; `is_sure` is so where half of them or more were, and
    what else it may be is told where it is not. The order is that of time, as before.

    Args: points: steps between the first and the last sample, so the most that a face has.
    Returns: the samples, and the length of a step in seconds; 0 where nothing was thinned.
    """
    if len(table) == 0 or np.bincount(np.unique(table.face, return_inverse=True)[1]).max() <= points:
        return table, 0.0
    start_s = float(table.at_s.min())
    step_s = max((float(table.at_s.max()) - start_s) / points, 1e-3)
    step = np.minimum(((table.at_s - start_s) / step_s).astype(np.int64), points - 1)
    _, group = np.unique(table.face.astype(np.int64) * points + step, return_inverse=True)
    count = np.bincount(group).astype(np.float64)
    is_sure = _means(group, table.is_sure[:, None], count)[:, 0] >= 0.5
    first = np.full(len(count), len(table))
    np.minimum.at(first, group, np.arange(len(table)))
    means = SampleTable(
        at_s=_means(group, table.at_s[:, None], count)[:, 0],
        face=table.face[first],
        box=_means(group, table.box, count).astype(np.float32),
        scores=_means(group, table.scores, count).astype(np.float32),
        label=_most_frequent(group, table.label, len(count)),
        confidence=_means(group, table.confidence[:, None], count)[:, 0].astype(np.float32),
        is_sure=is_sure,
        rival=_told(_most_frequent(group, table.rival, len(count)), is_sure),
        reason=_told(_most_frequent(group, table.reason, len(count)), is_sure),
    )
    return rows_of(means, np.lexsort((means.face, means.at_s))), step_s


def _means(
    group: NDArray[np.int64], values: NDArray[np.generic], count: NDArray[np.float64]
) -> NDArray[np.float64]:
    columns = [np.bincount(group, column, len(count)) / count for column in values.astype(np.float64).T]
    return np.stack(columns, axis=1)


def _told(values: NDArray[np.int8], is_sure: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(is_sure, NOT_TOLD, values).astype(np.int8)


def _most_frequent(group: NDArray[np.int64], values: NDArray[np.int8], groups: int) -> NDArray[np.int8]:
    """Of each group the value that came most often; NOT_TOLD where none but that came."""
    kinds = int(values.max()) + 2
    votes = np.bincount(group * kinds + values + 1, minlength=groups * kinds).reshape(groups, kinds)
    votes[:, 0] = 0  # the first of equals, so it stays where no other came
    most: NDArray[np.int8] = (votes.argmax(axis=1) - 1).astype(np.int8)
    return most

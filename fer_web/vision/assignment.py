"""Gives each row at most one column so that the whole costs least: the Hungarian algorithm."""

from math import inf

import numpy as np
from numpy.typing import NDArray


def assign(costs: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Pair rows with columns: as many as may be, and of these ways the cheapest.

    Shortest augmenting paths with potentials, O(n^3): Jonker and Volgenant 1987, "A shortest augmenting path
    algorithm for dense and sparse linear assignment problems". A frame's few faces need no library for it.

    Args: costs: (R, C), finite and at least 0, or infinite where the two must not be paired.
    Returns: pairs of row and column in the order of rows; each row and each column occurs at most once.
    """
    allowed = np.isfinite(costs)
    if not allowed.any():
        return []
    if costs.shape == (1, 1):
        return [(0, 0)]
    # A pair that must not be is dearer than all others together: it is taken only where no other is left.
    dearest = float(costs[allowed].sum()) + 1.0
    filled = np.where(allowed, costs, dearest)
    is_tall = filled.shape[0] > filled.shape[1]
    column_of = _column_of_rows((filled.T if is_tall else filled).tolist())
    pairs = [(column, row) if is_tall else (row, column) for row, column in enumerate(column_of)]
    return sorted(pair for pair in pairs if allowed[pair])


def _column_of_rows(costs: list[list[float]]) -> list[int]:
    """Assign every row of a matrix that has at least as many columns."""
    height, width = len(costs), len(costs[0])
    rows_price, columns_price = [0.0] * height, [0.0] * width
    row_of: dict[int, int] = {}
    for new_row in range(height):
        slack, came_from = [inf] * width, [-1] * width
        free, row, last = set(range(width)), new_row, -1
        while True:
            for column in free:
                reduced = costs[row][column] - rows_price[row] - columns_price[column]
                if reduced < slack[column]:
                    slack[column], came_from[column] = reduced, last
            nearest = min(free, key=slack.__getitem__)
            step, visited = slack[nearest], [each for each in range(width) if each not in free]
            rows_price[new_row] += step
            for column in visited:
                rows_price[row_of[column]] += step
                columns_price[column] -= step
            for column in free:
                slack[column] -= step
            free.remove(nearest)
            last = nearest
            if nearest not in row_of:
                break
            row = row_of[nearest]
        while came_from[last] != -1:
            row_of[last] = row_of[came_from[last]]
            last = came_from[last]
        row_of[last] = new_row
    column_of = {row: column for column, row in row_of.items()}
    return [column_of[row] for row in range(height)]

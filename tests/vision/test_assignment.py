import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from fer_web.vision.assignment import assign


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_assign_nothing_gives_no_pairs(shape):
    assert assign(np.zeros(shape)) == []


def test_assign_is_best_for_all_and_not_greedy():
    assert assign(np.array([[1.0, 2.0], [1.5, 9.0]])) == [(0, 1), (1, 0)]


def test_assign_never_pairs_what_must_not_be():
    assert assign(np.array([[np.inf, 3.0], [np.inf, 1.0]])) == [(1, 1)]
    assert assign(np.array([[np.inf]])) == []


@pytest.mark.parametrize("seed", range(60))
def test_assign_costs_as_little_as_scipy_s(seed):
    rng = np.random.default_rng(seed)
    costs = rng.uniform(0, 3, rng.integers(1, 11, 2))
    costs[rng.uniform(size=costs.shape) < rng.choice([0.0, 0.3, 0.7])] = np.inf
    pairs = assign(costs)
    rows, columns = [row for row, _ in pairs], [column for _, column in pairs]
    assert len(set(rows)) == len(set(columns)) == len(pairs)
    assert all(np.isfinite(costs[pair]) for pair in pairs)
    penalty = 100.0
    filled = np.where(np.isfinite(costs), costs, penalty)
    best = filled[linear_sum_assignment(filled)].sum()
    ours = sum(costs[pair] for pair in pairs) + penalty * (min(costs.shape) - len(pairs))
    assert ours == pytest.approx(best)

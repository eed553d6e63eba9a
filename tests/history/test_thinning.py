"""Thinned samples: as few as wanted, and still what was recorded."""

import numpy as np
import pytest

from fer_web.history.sample_tables import rows_of
from fer_web.history.thinning import thinned, within
from tests.support.sample_tables import lifelike_table, random_table


def faces_of(table):
    return np.unique(table.face, return_counts=True)


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_a_short_table_stays_as_it_is(rows):
    table = random_table(rows / 5, 1)
    assert thinned(table, 50) == (table, 0.0)


@pytest.mark.parametrize("points", [1, 7, 100, 999])
def test_each_face_has_as_many_as_wanted_in_the_order_of_time(points):
    table = lifelike_table(1800, 3)
    thin, step_s = thinned(table, points)
    faces, counts = faces_of(thin)
    assert faces.tolist() == faces_of(table)[0].tolist()
    assert counts.max() <= points
    assert step_s == pytest.approx(np.ptp(table.at_s) / points, rel=1e-6)
    assert (np.diff(thin.at_s) >= 0).all()
    for first, second in zip(vars(thin).values(), vars(table).values(), strict=True):
        assert first.dtype == second.dtype
        assert first.shape[1:] == second.shape[1:]


def test_means_are_those_of_the_samples_in_each_step():
    table = random_table(200, 1)
    thin, step_s = thinned(table, 10)
    for row in range(len(thin)):
        low = table.at_s.min() + row * step_s
        here = (table.at_s >= low) & ((table.at_s < low + step_s) | (row == 9))
        assert np.allclose(thin.scores[row], table.scores[here].mean(axis=0), atol=1e-5)
        assert np.allclose(thin.box[row], table.box[here].mean(axis=0), atol=1e-5)
        assert thin.at_s[row] == pytest.approx(table.at_s[here].mean())
        assert thin.is_sure[row] == (table.is_sure[here].mean() >= 0.5)
        votes = np.bincount(table.label[here], minlength=7)
        assert votes[thin.label[row]] == votes.max()


def test_all_samples_at_one_moment_are_one():
    table = rows_of(random_table(10, 1), np.zeros(20, np.int64))
    thin, step_s = thinned(table, 5)
    assert len(thin) == 1
    assert step_s > 0


def test_a_window_has_its_ends_and_no_more():
    table = random_table(10, 1)
    assert within(table, None, None) is table
    cut = within(table, 2.0, 4.0)
    assert cut.at_s.min() >= 2.0
    assert cut.at_s.max() <= 4.0
    assert len(cut) == ((table.at_s >= 2.0) & (table.at_s <= 4.0)).sum()
    assert len(within(table, 100.0, None)) == 0

import numpy as np
import pytest

from fer_web.vision.face_memory import KEPT_S
from fer_web.vision.smoothing import ScoreSmoother


def rows(*values):
    return np.array(values, np.float32)


def test_update_no_faces_gives_no_rows():
    assert ScoreSmoother(0.25).update([], np.zeros((0, 7), np.float32), 0.0).shape == (0, 7)


def test_update_first_frame_is_unchanged():
    assert ScoreSmoother(0.25).update([4], rows([1, 0]), 5.0).tolist() == [[1, 0]]


def test_update_small_step_arrives_by_63_percent_after_the_time_constant_at_any_rate():
    before, after = rows([0.52, 0.48]), rows([0.48, 0.52])
    for frames in (1, 10):
        smoother = ScoreSmoother(0.5)
        smoother.update([1], before, 0.0)
        for frame in range(1, frames + 1):
            result = smoother.update([1], after, 0.5 * frame / frames)
        arrived = (result[0, 1] - before[0, 1]) / (after[0, 1] - before[0, 1])
        assert arrived == pytest.approx(1 - np.exp(-1), abs=0.03)
        assert result.sum() == pytest.approx(1)


def test_update_large_step_arrives_sooner_than_a_small_one():
    smoother = ScoreSmoother(0.5)
    smoother.update([1, 2], rows([0.52, 0.48], [0.98, 0.02]), 0.0)
    small, large = smoother.update([1, 2], rows([0.48, 0.52], [0.02, 0.98]), 0.25)
    assert small[1] < 0.5 < large[1]


def test_update_steady_scores_stay_what_they_are():
    smoother = ScoreSmoother(0.25)
    scores = rows([0.94, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01])
    for frame in range(30):
        result = smoother.update([1], scores, frame / 30)
    np.testing.assert_allclose(result, scores, atol=1e-5)


def test_update_faces_do_not_mix_and_only_long_lost_ones_are_forgotten():
    smoother = ScoreSmoother(10.0)
    smoother.update([1, 2], rows([0.9, 0.1], [0.2, 0.8]), 0.0)
    mixed = smoother.update([2, 1], rows([0.2, 0.8], [0.9, 0.1]), 0.1)
    np.testing.assert_allclose(mixed, [[0.2, 0.8], [0.9, 0.1]], atol=1e-6)
    smoother.update([2], rows([0, 1]), 0.2)
    assert smoother.update([1], rows([0, 1]), 0.3)[0, 0] > 0.7, "missed in one frame"
    smoother.update([2], rows([0, 1]), 0.4)
    assert smoother.update([1], rows([0, 1]), 0.3 + KEPT_S).tolist() == [[0, 1]]


@pytest.mark.parametrize("time_s", [0.0, -1000.0])
def test_update_clock_that_stands_or_jumps_back_takes_the_new_scores(time_s):
    smoother = ScoreSmoother(1.0)
    smoother.update([1], rows([1, 0]), 0.0)
    assert smoother.update([1], rows([0, 1]), time_s).tolist() == [[0, 1]]


def test_update_zero_time_constant_switches_smoothing_off():
    smoother = ScoreSmoother(0.0)
    smoother.update([1], rows([1, 0]), 0.0)
    assert smoother.update([1], rows([0, 1]), 0.1).tolist() == [[0, 1]]

import numpy as np
import pytest

from fer_web.inference.judgement import Judgement
from fer_web.inference.shown_labels import FULL_CALM_S, LEAST_S, ShownLabels
from fer_web.labels import EMOTIONS
from fer_web.vision.face_memory import KEPT_S
from tests.support.fakes.models import model_info

MODEL = model_info(unsure_below=0.6, max_uncertainty=0.5)
HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")


def scores(happy, sad):
    row = np.full(7, (1 - happy - sad) / 5, np.float32)
    row[[HAPPY, SAD]] = happy, sad
    return row[None]


class Face:
    """One face, ten frames a second."""

    def __init__(self, smoothing_s=FULL_CALM_S):
        self.labels, self.smoothing_s, self.time_s = ShownLabels(), smoothing_s, 0.0

    def show(self, happy, sad=0.1, uncertainty=0.0, face_id=1):
        self.time_s += 0.1
        (shown,) = self.labels.update(
            [face_id],
            scores(happy, sad),
            Judgement(scores(happy, sad).max(axis=1), np.array([uncertainty], np.float32)),
            MODEL,
            time_s=self.time_s,
            smoothing_s=self.smoothing_s,
        )
        return shown.label, shown.is_sure


def test_scores_around_the_bound_change_nothing_that_is_shown():
    face = Face()
    assert {face.show(0.61 + 0.08 * (-1) ** step) for step in range(30)} == {(HAPPY, True)}


def test_a_face_far_below_the_bound_is_unsure_and_comes_back_well_above_it():
    face = Face()
    assert face.show(0.7) == (HAPPY, True)
    for _ in range(round(LEAST_S * 10) + 1):
        left = face.show(0.42)
    assert left == (HAPPY, False)
    assert {face.show(0.61) for _ in range(10)} == {(HAPPY, False)}
    assert face.show(0.7) == (HAPPY, True)


def test_a_face_that_is_missed_for_a_moment_goes_on_from_what_was_shown():
    face = Face()
    face.show(0.7)
    face.show(0.42)
    face.time_s += 1.0  # nine frames without it
    face.show(0.9, face_id=2)
    assert face.show(0.55) == (HAPPY, True), "within the margin of what was shown"
    face.time_s += KEPT_S
    assert face.show(0.55) == (HAPPY, False)


def test_uncertainty_has_a_margin_too():
    face = Face()
    face.show(0.8)
    assert {face.show(0.8, uncertainty=0.55) for _ in range(10)} == {(HAPPY, True)}
    assert face.show(0.8, uncertainty=0.9) == (HAPPY, False)


def test_another_expression_is_shown_at_once_when_it_leads_by_the_margin():
    face = Face()
    face.show(0.5, sad=0.4)
    assert face.show(0.43, sad=0.5)[0] == HAPPY
    assert face.show(0.3, sad=0.65) == (SAD, True)


def test_without_smoothing_each_frame_decides_alone():
    face = Face(smoothing_s=0.0)
    shown = [face.show(happy)[1] for happy in (0.61, 0.59, 0.61, 0.59)]
    assert shown == [True, False, True, False]


@pytest.mark.parametrize("jump_s", [-1000.0, 1000.0])
def test_a_clock_that_jumps_holds_nothing_up(jump_s):
    face = Face()
    face.show(0.8)
    face.time_s += jump_s
    assert face.show(0.1, sad=0.8) == (SAD, True)
    assert face.show(0.1, sad=0.2, face_id=2)[1] is False

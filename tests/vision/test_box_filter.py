import numpy as np
import pytest

from fer_web.vision.box_filter import BoxFilter
from fer_web.vision.types import Faces

STEP_S = 1 / 30


def face(left, eyes=0.0):
    xyxy = np.array([[left, 50, left + 150, 200]], np.float32)
    return Faces(xyxy, np.array([0.9], np.float32), np.full((1, 2, 2), eyes, np.float32))


def test_update_nobody_gives_nobody():
    assert len(BoxFilter().update([], Faces.none(), 0.0)) == 0


def test_update_a_trembling_box_trembles_less_than_half_as_much():
    boxes, noise = BoxFilter(), np.random.default_rng(0).normal(0, 1, 300)
    shown = [boxes.update([1], face(100 + x), i * STEP_S).xyxy[0, 0] for i, x in enumerate(noise)]
    assert np.std(np.diff(shown[30:])) < 0.5 * np.std(np.diff(noise[30:]))
    assert np.mean(shown[30:]) == pytest.approx(100, abs=0.5)


def test_update_a_moving_face_is_followed_within_a_few_pixels():
    boxes = BoxFilter()
    for step in range(60):
        shown = boxes.update([1], face(100 + 6 * step), step * STEP_S)
    assert shown.xyxy[0, 0] == pytest.approx(100 + 6 * 59, abs=5)


def test_update_unknown_eyes_stay_unknown_and_come_back_at_once():
    boxes = BoxFilter()
    boxes.update([1], face(100, eyes=5.0), 0.0)
    assert np.isnan(boxes.update([1], face(100, eyes=np.nan), STEP_S).eyes_xy).all()
    assert boxes.update([1], face(100, eyes=7.0), 2 * STEP_S).eyes_xy == pytest.approx(7.0)


@pytest.mark.parametrize("time_s", [0.0, -5.0, 100.0, float("nan")])
def test_update_a_clock_that_jumps_gives_the_face_as_it_is(time_s):
    boxes = BoxFilter()
    boxes.update([1], face(100), 0.0)
    assert boxes.update([1], face(300), time_s).xyxy[0, 0] == 300


def test_update_faces_do_not_mix():
    boxes = BoxFilter()
    boxes.update(
        [1, 2], Faces(*(np.concatenate(pair) for pair in zip(*map(parts, (0, 400)), strict=True))), 0.0
    )
    assert boxes.update([2], face(400), STEP_S).xyxy[0, 0] == 400


def parts(left):
    one = face(left)
    return one.xyxy, one.scores, one.eyes_xy

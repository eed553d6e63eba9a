import numpy as np
import pytest

from fer_web.vision.boxes import (
    centres,
    iou_matrix,
    join_faces,
    longer_sides,
    non_maximum_suppression,
    weighted_nms,
)
from fer_web.vision.types import Faces


def faces(*rows):
    """Faces from (left, top, right, bottom, score); eyes at the box's top corners."""
    table = np.array(rows, np.float32).reshape(-1, 5)
    eyes = np.stack([table[:, 0:2], table[:, [2, 1]]], axis=1)
    return Faces(table[:, :4], table[:, 4], eyes)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (2, 2, 4, 4), 0.04),
    ],
)
def test_iou_matrix_of_two_boxes(first, second, expected):
    boxes = np.array([first], np.float32), np.array([second], np.float32)
    assert iou_matrix(*boxes)[0, 0] == pytest.approx(expected)


def test_iou_matrix_empty_keeps_the_other_axis():
    assert iou_matrix(np.zeros((0, 4), np.float32), np.ones((3, 4), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(
    ("rows", "kept_scores"),
    [
        ([], []),
        ([(0, 0, 10, 10, 0.9)], [0.9]),
        ([(0, 0, 10, 10, 0.6), (1, 0, 11, 10, 0.9)], [0.9]),
        ([(0, 0, 10, 10, 0.6), (20, 0, 30, 10, 0.9)], [0.9, 0.6]),
        # A chain: the middle one falls to the best, the far end overlaps only the middle and stays.
        ([(0, 0, 10, 10, 0.9), (4, 0, 14, 10, 0.8), (9, 0, 19, 10, 0.7)], [0.9, 0.7]),
    ],
)
def test_suppress_repeats_keeps_the_best_of_each_group(rows, kept_scores):
    assert non_maximum_suppression(faces(*rows), 0.3).scores.tolist() == pytest.approx(kept_scores)


@pytest.mark.parametrize(
    ("rows", "lefts"),
    [
        ([], []),
        ([(0, 0, 10, 10, 0.5), (2, 0, 12, 10, 0.5)], [1.0]),
        ([(0, 0, 10, 10, 0.75), (4, 0, 14, 10, 0.25)], [1.0]),
        ([(0, 0, 10, 10, 0.5), (30, 0, 40, 10, 0.9)], [30.0, 0.0]),
    ],
)
def test_blend_repeats_means_each_group_by_score(rows, lefts):
    blended = weighted_nms(faces(*rows), 0.3)
    assert blended.xyxy[:, 0].tolist() == pytest.approx(lefts)
    assert blended.eyes_xy[:, 0, 0].tolist() == pytest.approx(lefts)


def test_blend_repeats_keeps_the_best_score():
    assert weighted_nms(faces((0, 0, 10, 10, 0.5), (1, 0, 11, 10, 0.8)), 0.3).scores.tolist() == [
        pytest.approx(0.8)
    ]


def test_join_faces_nothing_gives_no_faces():
    assert len(join_faces([])) == 0
    assert len(join_faces([Faces.none(), Faces.none()])) == 0


def test_centres_and_sides():
    boxes = np.array([[0, 10, 20, 50]], np.float32)
    assert centres(boxes).tolist() == [[10, 30]]
    assert longer_sides(boxes).tolist() == [40]

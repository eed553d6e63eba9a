import numpy as np
import pytest

from fer_web.analysis.stills.heat_drawing import draw_heat
from fer_web.inference.heatmaps import CAM, FaceHeatmap
from fer_web.labels import EMOTIONS

HAPPY = EMOTIONS.index("happy")


def heatmap(values, corners):
    maps = [(0,) * len(values)] * len(EMOTIONS)
    maps[HAPPY] = tuple(values)
    return FaceHeatmap(round(len(values) ** 0.5), corners, tuple(maps), CAM)


def drawn(values, corners, label="happy"):
    picture = np.full((100, 200, 3), 128, np.uint8)
    draw_heat(picture, heatmap(values, corners), label)
    return np.abs(picture.astype(int) - 128).max(axis=2)


UPRIGHT = ((0.25, 0.2), (0.75, 0.2), (0.75, 0.8), (0.25, 0.8))
TURNED = ((0.75, 0.2), (0.75, 0.8), (0.25, 0.8), (0.25, 0.2))


@pytest.mark.parametrize(("corners", "hot"), [(UPRIGHT, (25, 60)), (TURNED, (25, 140))])
def test_the_hot_corner_lies_where_the_face_has_it(corners, hot):
    changed = drawn((255, 0, 0, 0), corners)
    row, column = np.unravel_index(changed.argmax(), changed.shape)
    assert abs(row - hot[0]) < 20
    assert abs(column - hot[1]) < 20
    assert changed[75, 100] < changed.max() / 2


def test_a_cold_map_changes_nothing():
    assert drawn((255,) * 4, UPRIGHT, "sad").max() == 0


@pytest.mark.parametrize("shift", [-2, 2])
def test_a_square_outside_of_the_picture_changes_nothing(shift):
    assert drawn((255,) * 4, tuple((x + shift, y) for x, y in UPRIGHT)).max() == 0


def test_a_square_over_the_edge_is_drawn_as_far_as_it_goes():
    changed = drawn((255,) * 4, tuple((x - 0.5, y) for x, y in UPRIGHT))
    assert changed[50, 0] > 50
    assert changed[:, 60:].max() == 0

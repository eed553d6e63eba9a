import numpy as np
import pytest

from fer_web.inference.heatmaps import CAM, MAX_SIDE, face_heatmap, maps_of_cells
from fer_web.labels import EMOTIONS, FERPLUS_VOTES

CORNERS = np.array([[0.1, 0.2], [0.5, 0.2], [0.5, 0.6], [0.1, 0.6]], np.float32)
OFFSETS = (0.5, -0.25, 0.0, 1.0, 0.0, 0.0, -1.0)


def places(count=2, rows=3, columns=3):
    return np.random.default_rng(4).normal(size=(count, rows, columns, len(FERPLUS_VOTES))).astype(np.float32)


def one_hot_map(name, row, column, side=4):
    maps = np.full((len(EMOTIONS), side, side), -1, np.float32)
    maps[EMOTIONS.index(name), row, column] = 3
    return maps


def test_the_mean_of_a_map_is_its_logit_above_the_mean_of_the_seven():
    given = places()
    shown = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    seven = given.mean(axis=(1, 2))[:, [FERPLUS_VOTES.index(name) for name in shown]] + np.array(OFFSETS)
    maps = maps_of_cells(given, OFFSETS)
    assert maps.shape == (2, 7, 3, 3)
    np.testing.assert_allclose(maps.mean(axis=(2, 3)), seven - seven.mean(axis=1, keepdims=True), atol=1e-5)


def test_contempt_and_doubt_have_no_part_in_a_map():
    given = places()
    changed = given.copy()
    for name in ("contempt", "unknown", "not-a-face"):
        changed[..., FERPLUS_VOTES.index(name)] += 7
    np.testing.assert_array_equal(maps_of_cells(given), maps_of_cells(changed))


def test_what_a_place_says_for_all_alike_is_no_heat():
    given = places()
    changed = given + np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    np.testing.assert_allclose(maps_of_cells(given), maps_of_cells(changed), atol=1e-5)


def test_no_faces_have_no_maps():
    assert maps_of_cells(places(count=0)).shape == (0, 7, 3, 3)


def test_one_scale_for_all_seven_from_nothing_to_the_hottest_place():
    maps = one_hot_map("sad", 1, 2)
    maps[EMOTIONS.index("fear"), 0, 0] = 1.5
    heatmap = face_heatmap(maps, CORNERS, CAM)
    values = dict(zip(EMOTIONS, heatmap.values, strict=True))
    assert values["sad"] == tuple(255 if place == 6 else 0 for place in range(16))
    assert values["fear"] == (128, *[0] * 15)
    assert set(values["happy"]) == {0}


def test_a_face_of_which_no_place_speaks_for_anything_has_cold_maps():
    heatmap = face_heatmap(np.zeros((7, 2, 2), np.float32), CORNERS, CAM)
    assert heatmap.values == ((0, 0, 0, 0),) * 7


def test_on_the_wire_are_plain_numbers_under_the_names_of_expressions():
    wire = face_heatmap(one_hot_map("happy", 0, 1, side=2), CORNERS, CAM).to_wire()
    assert wire == {
        "side": 2,
        "corners": [[0.1, 0.2], [0.5, 0.2], [0.5, 0.6], [0.1, 0.6]],
        "values": {name: [0, 255, 0, 0] if name == "happy" else [0] * 4 for name in EMOTIONS},
        "method": "cam",
    }
    assert all(type(value) is int for values in wire["values"].values() for value in values)


@pytest.mark.parametrize(("rows", "columns", "side"), [(48, 48, MAX_SIDE), (3, 5, 5), (40, 2, MAX_SIDE)])
def test_other_shapes_become_squares_of_a_bounded_side(rows, columns, side):
    maps = np.zeros((7, rows, columns), np.float32)
    maps[3, : rows // 2 + 1] = 1
    heatmap = face_heatmap(maps, CORNERS, CAM)
    assert heatmap.side == side
    happy = np.array(heatmap.values[3]).reshape(side, side)
    assert happy[0].min() == 255
    assert happy[-1].max() < happy[0].min()

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.blazeface import BlazeFace, ThreadNetworks, decode, make_anchors
from fer_web.vision.boxes import iou_matrix
from fer_web.vision.regions import Region, whole_frame
from tests.support.faces import ASTRONAUT_XYXY, astronaut_bgr


@pytest.fixture(scope="module")
def network():
    return BlazeFace(BLAZEFACE_PATH)


def test_anchors_are_two_grids_in_row_order():
    anchors = make_anchors()
    assert anchors.shape == (896, 2)
    assert anchors.dtype == np.float32
    # 16 x 16 cells of two anchors, then 8 x 8 cells of six, centres at (i + 0.5) / n.
    assert anchors[[0, 1]].tolist() == [[0.03125, 0.03125]] * 2
    assert anchors[2].tolist() == [0.09375, 0.03125]
    assert anchors[32].tolist() == [0.03125, 0.09375]
    assert anchors[511].tolist() == [0.96875, 0.96875]
    assert anchors[512:518].tolist() == [[0.0625, 0.0625]] * 6
    assert anchors[518].tolist() == [0.1875, 0.0625]
    assert anchors[895].tolist() == [0.9375, 0.9375]


def outputs(*rows):
    """Raw outputs of as many anchors, zero but for the box and the eyes."""
    regressors = np.zeros((len(rows), 16), np.float32)
    regressors[:, :8] = rows
    return regressors


def test_decode_no_anchor_over_the_score_gives_no_face():
    raw = outputs([0, 0, 10, 10, 0, 0, 0, 0])
    assert len(decode(raw, np.array([-1], np.float32), make_anchors()[:1], 0.5)) == 0


def test_decode_by_hand():
    anchors = np.array([[0.5, 0.25], [0, 0]], np.float32)
    raw = outputs([12.8, -12.8, 64, 32, -6.4, 0, 6.4, 0], [0, 0, 64, 64, 0, 0, 0, 0])
    found = decode(raw, np.array([0, -9], np.float32), anchors, 0.5)
    assert found.scores.tolist() == [0.5]
    assert found.xyxy[0] == pytest.approx([0.35, 0.025, 0.85, 0.275])
    assert found.eyes_xy[0].ravel() == pytest.approx([0.45, 0.25, 0.55, 0.25])


def test_decode_drops_boxes_without_area():
    raw = outputs([0, 0, -5, 10, 0, 0, 0, 0])
    assert len(decode(raw, np.array([5], np.float32), make_anchors()[:1], 0.5)) == 0


def test_decode_extreme_logits_do_not_overflow():
    raw = outputs(*[[0, 0, 9, 9, 0, 0, 0, 0]] * 2)
    found = decode(raw, np.array([200, -200], np.float32), make_anchors()[:2], 0.5)
    assert found.scores.tolist() == [1.0]


def test_find_astronaut_in_the_whole_picture(network):
    frame = astronaut_bgr()
    found = network.find(frame, whole_frame(*frame.shape[:2]), 0.5)
    assert len(found) == 1
    assert iou_matrix(found.xyxy, np.array([ASTRONAUT_XYXY], np.float32))[0, 0] > 0.6


def test_find_puts_the_eyes_in_the_upper_half_left_one_first(network):
    found = network.find(astronaut_bgr(), Region(225, 125, 230), 0.5)
    left, right = found.eyes_xy[0]
    assert found.xyxy[0, 0] < left[0] < right[0] < found.xyxy[0, 2]
    assert max(left[1], right[1]) < (found.xyxy[0, 1] + found.xyxy[0, 3]) / 2


def test_find_in_a_turned_region_gives_the_same_face(network):
    upright = network.find(astronaut_bgr(), Region(225, 125, 230), 0.5)
    turned = network.find(astronaut_bgr(), Region(225, 125, 230, 0.35), 0.5)
    assert iou_matrix(upright.xyxy, turned.xyxy)[0, 0] > 0.75
    assert np.abs(upright.eyes_xy - turned.eyes_xy).max() < 6


def test_a_larger_input_has_the_same_faces_in_pixels():
    wide = BlazeFace(BLAZEFACE_PATH, input_size=256)
    frame = astronaut_bgr()
    found = wide.find(frame, Region(225, 225, 450), 0.5)
    assert len(found) == 1
    assert iou_matrix(found.xyxy, np.array([ASTRONAUT_XYXY], np.float32))[0, 0] > 0.6
    assert make_anchors(256).shape == (4 * 896, 2)


def test_networks_of_a_thread_are_its_own():
    networks = ThreadNetworks(BLAZEFACE_PATH)
    with ThreadPoolExecutor(1) as other:
        assert networks.of() is networks.of()
        assert other.submit(networks.of).result() is not networks.of()
        assert networks.of(256).input_size == 256

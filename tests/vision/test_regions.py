from math import radians

import cv2
import numpy as np
import pytest

from fer_web.vision.regions import Region, cut_region, whole_frame
from fer_web.vision.roll import roll_rad_by_eyes
from tests.support.faces import astronaut_bgr


def frame_with_spot(x, y, height=480, width=640):
    frame = np.zeros((height, width, 3), np.uint8)
    cv2.circle(frame, (x, y), 12, (255, 255, 255), -1)
    return frame


def spot_in(picture):
    """Centre of the bright pixels in 0-1 of the picture."""
    rows, columns = np.nonzero(picture[..., 0] > 127)
    return np.array([columns.mean() + 0.5, rows.mean() + 0.5], np.float32) / len(picture)


@pytest.mark.parametrize(("height", "width"), [(480, 640), (640, 480), (100, 700), (128, 128), (64, 50)])
def test_whole_frame_letterbox_round_trip(height, width):
    x, y = width // 3, height // 2
    region = whole_frame(height, width)
    picture = cut_region(frame_with_spot(x, y, height, width), region, 128)
    assert picture.shape == (128, 128, 3)
    assert region.to_frame(spot_in(picture)) == pytest.approx(
        [x + 0.5, y + 0.5], abs=0.01 * max(height, width)
    )


def test_whole_frame_letterbox_is_black_outside():
    picture = cut_region(np.full((480, 640, 3), 200, np.uint8), whole_frame(480, 640), 128)
    assert picture[:15].max() == 0
    assert picture[-15:].max() == 0
    assert picture[17:-17].min() == 200


@pytest.mark.parametrize("roll_deg", [-45, 0, 10, 90])
@pytest.mark.parametrize("side", [90.0, 300.0, 800.0])
def test_turned_region_round_trip(roll_deg, side):
    region = Region(310, 250, side, radians(roll_deg))
    picture = cut_region(frame_with_spot(320, 240), region, 128)
    assert region.to_frame(spot_in(picture)) == pytest.approx([320.5, 240.5], abs=2)


def test_cut_region_same_size_is_exact():
    frame = astronaut_bgr()
    assert np.array_equal(cut_region(frame, Region(164, 114, 128), 128), frame[50:178, 100:228])


def test_cut_region_shrinks_without_aliasing():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    picture = cut_region(stripes, Region(256, 256, 512), 128)
    assert np.abs(picture.astype(int) - 128).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (3, 2, 3)])
@pytest.mark.parametrize("region", [Region(0.5, 0.5, 1), Region(0, 0, 900), Region(1, 1, 5, 0.7)])
def test_cut_region_tiny_images(shape, region):
    assert cut_region(np.full(shape, 9, np.uint8), region, 16).shape == (16, 16, 3)


def test_cut_region_outside_the_image_is_black():
    assert cut_region(astronaut_bgr(), Region(-500, -500, 100), 32).max() == 0


@pytest.mark.parametrize(
    ("eyes", "roll_deg"),
    [
        ([[0, 0], [10, 0]], 0),
        ([[0, 0], [10, 10]], 45),
        ([[0, 0], [10, -5.7735]], -30),
        ([[0, 0], [1, 10]], 0),  # further than people lean
        ([[10, 0], [0, 0]], 0),  # upside down
        ([[np.nan, np.nan], [np.nan, np.nan]], 0),
        ([[5, 5], [5, 5]], 0),
    ],
)
def test_roll_by_eyes(eyes, roll_deg):
    assert roll_rad_by_eyes(np.array(eyes, np.float32)) == pytest.approx(radians(roll_deg), abs=1e-4)

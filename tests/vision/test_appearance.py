import cv2
import numpy as np
import pytest

from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.appearance import describe, difference
from fer_web.vision.faces import build_detector
from fer_web.vision.tracking import ALIKE, MAYBE_ALIKE
from tests.support.faces import astronaut_bgr, grace_hopper_bgr


@pytest.fixture(scope="module")
def look_of():
    detector = build_detector("blazeface", BLAZEFACE_PATH)
    return lambda frame: describe(frame, detector.search(frame).take([0]))


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: cv2.convertScaleAbs(frame, alpha=0.6),
        lambda frame: cv2.resize(frame, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
        lambda frame: cv2.GaussianBlur(frame, (0, 0), 1.5),
        lambda frame: np.clip(frame * np.array([0.8, 1.0, 1.1]), 0, 255).astype(np.uint8),
    ],
    ids=["darker", "smaller", "blurred", "warmer light"],
)
def test_a_person_looks_alike_in_other_light_and_size_and_unlike_another(look_of, change):
    look = look_of(astronaut_bgr())
    assert difference(look, look_of(change(astronaut_bgr()))) < ALIKE
    assert difference(look_of(grace_hopper_bgr()), look_of(change(astronaut_bgr()))) > MAYBE_ALIKE


def test_a_crop_that_shows_nothing_is_not_described(look_of):
    face = build_detector("blazeface", BLAZEFACE_PATH).search(astronaut_bgr()).take([0])
    assert describe(np.full((512, 512, 3), 90, np.uint8), face) is None

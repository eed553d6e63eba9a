import cv2
import numpy as np
import pytest

from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.faces import DETECTORS, build_detector
from fer_web.vision.preprocess import CROP_SCALE, crop_faces, crop_region, to_model_input, whole_crop
from fer_web.vision.types import Faces
from tests.support.faces import astronaut_bgr, two_faces_bgr

SIZE_HW = (48, 48)


def face_at(left, top, side, eyes=None):
    eyes_xy = np.full((1, 2, 2), np.nan, np.float32) if eyes is None else np.array([eyes], np.float32)
    return Faces(
        np.array([[left, top, left + side, top + side]], np.float32), np.ones(1, np.float32), eyes_xy
    )


def similarity(first, second):
    """Correlation of two crops, -1 to 1."""
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.fixture(scope="module")
def detector():
    return build_detector("blazeface", BLAZEFACE_PATH)


def test_crop_faces_no_face_keeps_the_shape():
    crops = crop_faces(astronaut_bgr(), Faces.none(), SIZE_HW)
    assert crops.shape == (0, 48, 48, 1)
    assert crops.dtype == np.uint8
    assert to_model_input(crops).shape == (0, 48, 48, 1)


def test_crop_faces_in_colour_is_red_green_blue_of_the_same_place(detector):
    frame = astronaut_bgr()
    faces = detector.search(frame)
    colour, grey = crop_faces(frame, faces, SIZE_HW, 3), crop_faces(frame, faces, SIZE_HW)
    assert colour.shape == (1, 48, 48, 3)
    assert colour[..., 0].mean() > colour[..., 2].mean()  # skin
    assert similarity(colour.mean(axis=-1), grey[..., 0]) > 0.99


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(48, 48), (20, 90), (200, 200)])
def test_whole_crop_takes_all_of_a_picture(size, channels):
    picture = np.zeros((*size, 3), np.uint8)
    picture[:, size[1] // 2 :] = (255, 0, 0)
    crop = whole_crop(picture, (64, 48), channels)
    assert crop.shape == (64, 48, channels)
    assert crop[:, :22].max() == 0
    assert crop[:, 26:, -1].min() == (29 if channels == 1 else 255)


def test_crop_faces_two_faces_in_order(detector):
    frame = two_faces_bgr()
    faces = detector.search(frame)
    crops = crop_faces(frame, faces, SIZE_HW)
    assert crops.shape == (2, 48, 48, 1)
    assert np.array_equal(crops[1:], crop_faces(frame, faces.take([1]), SIZE_HW))


@pytest.mark.parametrize("turn_deg", [-30, 15, 30])
def test_crop_faces_turned_frame_gives_nearly_the_same_crop(detector, turn_deg):
    frame = astronaut_bgr()
    matrix = cv2.getRotationMatrix2D((225, 125), turn_deg, 1)
    turned = cv2.warpAffine(frame, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    upright, turned_crop = (
        crop_faces(image, detector.search(image).take([0]), SIZE_HW) for image in (frame, turned)
    )
    assert similarity(upright, turned_crop) > 0.9


def test_crop_faces_eyes_lie_level_as_in_fer2013(detector):
    faces = detector.search(astronaut_bgr())
    region = crop_region(faces.take([0]))
    eyes = np.linalg.solve(region.axes(), (faces.eyes_xy[0] - [region.centre_x, region.centre_y]).T).T + 0.5
    assert eyes[0, 1] == pytest.approx(eyes[1, 1], abs=0.01)
    assert eyes.mean(axis=0) == pytest.approx([0.5, 0.4], abs=0.06)


def test_crop_region_detectors_agree_on_the_framing():
    first, second = (
        crop_region(build_detector(name, BLAZEFACE_PATH).search(astronaut_bgr()).take([0]))
        for name in DETECTORS
    )
    assert second.side == pytest.approx(first.side, rel=0.15)
    assert second.centre_x == pytest.approx(first.centre_x, abs=0.1 * first.side)
    assert second.centre_y == pytest.approx(first.centre_y, abs=0.1 * first.side)


def test_crop_faces_unknown_eyes_do_not_turn():
    region = crop_region(face_at(100, 100, 50))
    assert region.roll_rad == 0
    assert region.side == pytest.approx(50 * CROP_SCALE)
    assert (region.centre_x, region.centre_y) == pytest.approx((125, 120))


def test_crop_region_shows_more_or_less_of_the_head_around_the_same_face():
    face = face_at(100, 100, 50)
    tight, fer, margin = (crop_region(face, crop) for crop in ("tight", "fer2013", "margin"))
    assert (tight.side, margin.side) == pytest.approx((50, 80))
    assert (tight.centre_x, tight.centre_y) == pytest.approx((125, 125))
    assert tight.side < fer.side < margin.side


def test_crop_faces_over_the_edge_repeats_the_border():
    frame = np.full((100, 100, 3), 200, np.uint8)
    assert (crop_faces(frame, face_at(-30, -30, 60), SIZE_HW) == 200).all()


def test_crop_faces_one_pixel_frame():
    assert (crop_faces(np.full((1, 1, 3), 7, np.uint8), face_at(0, 0, 1), SIZE_HW) == 7).all()


def test_crop_faces_large_face_does_not_alias():
    frame = np.zeros((400, 400, 3), np.uint8)
    frame[:, ::2] = 255
    crop = crop_faces(frame, face_at(50, 50, 290), SIZE_HW)
    assert np.abs(crop.astype(int) - 128).max() < 20


def test_crop_faces_does_not_change_the_frame(detector):
    frame = astronaut_bgr().copy()
    crop_faces(frame, detector.search(frame), SIZE_HW)
    assert np.array_equal(frame, astronaut_bgr())


def test_to_model_input_keeps_the_values():
    crops = np.array([0, 1, 254, 255], np.uint8).reshape(1, 2, 2, 1)
    pixels = to_model_input(crops)
    assert pixels.dtype == np.float32
    assert pixels.ravel().tolist() == [0, 1, 254, 255]

import logging
from itertools import pairwise

import cv2
import numpy as np
import pytest
import skimage.data

from fer_web.errors import SettingsError, SetupError
from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.blazeface import BlazeFace
from fer_web.vision.boxes import iou_matrix
from fer_web.vision.faces import DETECTORS, build_detector, resolve_detector
from fer_web.vision.search import tile_regions
from fer_web.vision.still_search import BLOCK_SIZE, MAX_SCALE_RATIO, StillDetector, block_levels
from fer_web.vision.types import Faces
from tests.support.faces import ASTRONAUT_XYXY, astronaut_bgr, grace_hopper_bgr, two_faces_bgr

ASTRONAUT = np.array([ASTRONAUT_XYXY], np.float32)


@pytest.fixture(scope="module", params=DETECTORS)
def detector(request):
    return build_detector(request.param, BLAZEFACE_PATH)


@pytest.fixture(scope="module")
def blazeface():
    return build_detector("blazeface", BLAZEFACE_PATH)


def test_search_astronaut_box(detector):
    found = detector.search(astronaut_bgr())
    assert iou_matrix(found.xyxy, ASTRONAUT)[0, 0] > 0.6
    assert len(found) == 1


def test_search_grace_hopper_is_found(detector):
    found = detector.search(grace_hopper_bgr())
    centre = (found.xyxy[0, :2] + found.xyxy[0, 2:]) / 2
    assert centre == pytest.approx([264, 241], abs=20)


def test_search_two_faces(detector):
    found = detector.search(two_faces_bgr())
    assert len(found) == 2
    assert sorted((found.xyxy[:, 0] > 320).tolist()) == [False, True]


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (700, 3, 3), (480, 640, 3)])
def test_search_empty_frame_finds_nobody(detector, shape):
    assert len(detector.search(np.full(shape, 120, np.uint8))) == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (480, 640, 3)])
def test_look_near_empty_frame_finds_nobody(detector, shape):
    known = Faces(ASTRONAUT, np.ones(1, np.float32), np.full((1, 2, 2), np.nan, np.float32))
    assert len(detector.look_near(np.full(shape, 120, np.uint8), known)) == 0


def test_look_near_no_faces_gives_none(detector):
    assert len(detector.look_near(astronaut_bgr(), Faces.none())) == 0


def test_look_near_finds_a_face_that_moved(detector):
    frame = astronaut_bgr()
    known = detector.search(frame)
    moved = np.roll(frame, (12, 20), axis=(0, 1))
    found = detector.look_near(moved, known)
    assert found.xyxy[0] == pytest.approx(known.xyxy[0] + [20, 12, 20, 12], abs=8)


def test_look_near_takes_the_given_face_of_two(detector):
    frame = two_faces_bgr()
    known = detector.search(frame)
    for index in range(2):
        found = detector.look_near(frame, known.take([index]))
        assert iou_matrix(found.xyxy, known.xyxy[[index]])[0, 0] > 0.6


@pytest.mark.parametrize("turn_deg", [-40, -20, 20, 40])
def test_search_turned_face_follows_the_roll(blazeface, turn_deg):
    matrix = cv2.getRotationMatrix2D((225, 125), turn_deg, 1)
    found = blazeface.search(cv2.warpAffine(astronaut_bgr(), matrix, (512, 512)))
    eye_line = found.eyes_xy[0, 1] - found.eyes_xy[0, 0]
    # OpenCV turns anticlockwise, our roll is clockwise; her own head leans by about 4 degrees.
    assert np.degrees(np.arctan2(eye_line[1], eye_line[0])) == pytest.approx(-turn_deg + 4, abs=10)


@pytest.mark.parametrize("gain", [0.25, 1.6])
def test_search_dark_and_bright(blazeface, gain):
    assert len(blazeface.search(cv2.convertScaleAbs(two_faces_bgr(), alpha=gain))) == 2


def test_search_small_face_needs_the_tiles(blazeface):
    frame = np.full((480, 640, 3), 90, np.uint8)
    frame[60:220, 420:580] = cv2.resize(
        astronaut_bgr()[20:340, 65:385], (160, 160), interpolation=cv2.INTER_AREA
    )
    found = blazeface.search(frame)
    assert len(found) == 1
    assert found.xyxy[0, 2] - found.xyxy[0, 0] < 60


def test_search_face_cut_by_the_edge(blazeface):
    found = blazeface.search(np.ascontiguousarray(astronaut_bgr()[:, 195:]))
    assert len(found) == 1
    assert found.xyxy[0, 0] < 10


@pytest.mark.parametrize(
    ("height", "width", "count"),
    [(480, 640, 6), (640, 480, 6), (720, 1280, 8), (120, 160, 0), (1, 1, 0), (100, 3000, 4)],
)
def test_tile_regions_count_is_bounded(height, width, count):
    assert len(tile_regions(height, width)) == count


@pytest.mark.parametrize(("height", "width"), [(480, 640), (720, 1280), (640, 480)])
def test_tile_regions_cover_the_frame(height, width):
    covered = np.zeros((height, width), bool)
    for tile in tile_regions(height, width):
        left, top = round(tile.centre_x - tile.side / 2), round(tile.centre_y - tile.side / 2)
        covered[top : top + round(tile.side), left : left + round(tile.side)] = True
    assert covered.all()


def test_build_detector_missing_file_names_file_and_command(tmp_path):
    with pytest.raises(SetupError, match=r"nowhere\.tflite.*make setup"):
        build_detector("blazeface", tmp_path / "nowhere.tflite")


def test_build_detector_damaged_file_names_file_and_command(tmp_path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(BLAZEFACE_PATH.read_bytes()[:5000])
    with pytest.raises(SetupError, match=r"broken\.tflite.*make setup"):
        build_detector("blazeface", path)


def test_build_detector_unknown_name_lists_the_allowed():
    with pytest.raises(SettingsError, match="blazeface, haar"):
        build_detector("psychic", BLAZEFACE_PATH)


def test_search_for_stills_finds_faces_that_are_small_in_a_large_image():
    frame = np.full((3000, 4000, 3), 90, np.uint8)
    face = cv2.resize(astronaut_bgr()[:320, 64:384], (400, 400))
    for left, top in ((100, 100), (1900, 1300), (3500, 2500)):
        frame[top : top + 400, left : left + 400] = face
    assert len(build_detector("blazeface", BLAZEFACE_PATH).search(frame)) < 3
    found = build_detector("blazeface", BLAZEFACE_PATH, for_stills=True).search(frame)
    assert sorted(found.xyxy[:, 0].round(-2).tolist()) == [200, 2000, 3600]


def gallery_bgr(count, size_hw):
    """A video call of count x count people, and their boxes, (N, 4), from the portrait's own box."""
    height, width = size_hw
    cell_w, cell_h = width // count, height // count
    tile_w = min(cell_w - 8, int((cell_h - 8) * 512 / 380))
    tile_h = int(tile_w * 380 / 512)
    tile = cv2.resize(grace_hopper_bgr()[20:400], (tile_w, tile_h), interpolation=cv2.INTER_AREA)
    frame, corners = np.full((height, width, 3), 26, np.uint8), []
    for row in range(count):
        for column in range(count):
            left, top = column * cell_w + 4, row * cell_h + 4
            frame[top : top + tile_h, left : left + tile_w] = tile
            corners.append((left, top))
    box = build_detector("blazeface", BLAZEFACE_PATH).search(grace_hopper_bgr()).xyxy[0]
    scale = tile_w / 512
    boxes = [(box - [0, 20, 0, 20]) * scale + np.tile(corner, 2) for corner in corners]
    return frame, np.array(boxes, np.float32)


@pytest.fixture(scope="module")
def for_stills():
    return build_detector("blazeface", BLAZEFACE_PATH, for_stills=True)


@pytest.mark.parametrize(
    ("count", "size_hw"),
    [
        (5, (720, 1280)),
        (6, (720, 1280)),
        (6, (768, 1366)),
        (5, (900, 1440)),
        (6, (900, 1440)),
        (6, (1080, 1920)),
    ],
)
def test_everybody_in_a_gallery_is_found_and_nothing_else(for_stills, count, size_hw):
    frame, boxes = gallery_bgr(count, size_hw)
    found = for_stills.search(frame)
    assert len(found) == count * count
    assert (iou_matrix(boxes, found.xyxy).max(axis=1) > 0.4).all()


@pytest.mark.parametrize("height", [720, 958, 962])
def test_small_faces_are_found_whatever_the_pictures_height(for_stills, height):
    tile = cv2.resize(grace_hopper_bgr()[20:400], (92, 68), interpolation=cv2.INTER_AREA)
    frame = np.full((height, 1280, 3), 26, np.uint8)
    for row in range(5):
        for column in range(5):
            top, left = 20 + 138 * row, 100 + 220 * column
            frame[top : top + 68, left : left + 92] = tile
    assert len(for_stills.search(frame)) == 25


def block_count(height, width):
    return sum(map(len, block_levels(height, width)))


def test_blocks_of_stills_grow_with_the_picture_and_never_jump():
    counts = [block_count(height, height * 4 // 3) for height in range(400, 6000, 20)]
    assert max(later / earlier for earlier, later in pairwise(counts)) < 1.6
    assert max(counts) < 500


def test_blocks_of_one_colour_are_passed_over(for_stills, monkeypatch):
    runs = []
    monkeypatch.setattr(BlazeFace, "find", lambda *given: runs.append(given) or Faces.none())
    for_stills.search(np.full((1080, 1920, 3), 90, np.uint8))
    assert len(runs) == 1


def test_nobody_is_looked_for_inside_a_large_face(for_stills, monkeypatch):
    frame = cv2.resize(astronaut_bgr()[20:230, 120:330], (2000, 2000), interpolation=cv2.INTER_CUBIC)
    seen, find = [], BlazeFace.find
    monkeypatch.setattr(BlazeFace, "find", lambda self, *given: seen.append(given[1]) or find(self, *given))
    assert len(for_stills.search(frame)) == 1
    sides = [region.side for region in seen]
    assert sides.count(min(sides)) < len(block_levels(2000, 2000)[-1])


def test_blocks_of_stills_go_down_to_the_finest():
    sides = [round(level[0].side) for level in block_levels(3000, 4000)]
    assert sides == sorted(sides, reverse=True)
    assert sides[-1] == BLOCK_SIZE
    steps = [4000 / 128, *(side / BLOCK_SIZE for side in sides)]
    assert max(np.divide(steps[:-1], steps[1:])) <= MAX_SCALE_RATIO + 0.01


@pytest.mark.parametrize("size_hw", [(1200, 16_000), (6000, 8000), (2000, 2000), (480, 640)])
def test_blocks_of_stills_leave_no_gap(size_hw):
    for blocks in block_levels(*size_hw):
        side = blocks[0].side
        for axis, length in (("centre_y", size_hw[0]), ("centre_x", size_hw[1])):
            centres = sorted({getattr(block, axis) for block in blocks})
            assert max(np.diff(centres), default=0) < side
            assert centres[0] - side / 2 <= 0
            assert centres[-1] + side / 2 >= length


@pytest.mark.parametrize("name", ["cell", "coffee", "chelsea", "brick", "text", "clock"])
def test_nobody_is_found_in_pictures_without_people(for_stills, name):
    picture = getattr(skimage.data, name)()
    as_bgr = cv2.COLOR_GRAY2BGR if picture.ndim == 2 else cv2.COLOR_RGB2BGR
    assert len(for_stills.search(cv2.cvtColor(picture, as_bgr))) == 0


def test_a_search_by_several_threads_finds_what_one_finds():
    frame, _ = gallery_bgr(4, (720, 1280))
    one, several = (StillDetector(BLAZEFACE_PATH, threads).search(frame) for threads in (1, 3))
    assert one.xyxy.tolist() == several.xyxy.tolist()


def test_resolve_detector_auto_takes_blazeface_where_it_is(caplog):
    assert resolve_detector("auto", BLAZEFACE_PATH) == "blazeface"
    assert caplog.records == []


def test_resolve_detector_auto_without_the_package_takes_haar_and_says_how_to_mend_it(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert resolve_detector("auto", tmp_path / "face.tflite") == "haar"
    (record,) = caplog.records
    assert str(tmp_path / "face.tflite") in record.getMessage()
    assert "make setup" in record.getMessage()


def test_resolve_detector_keeps_what_was_asked_for(tmp_path):
    assert resolve_detector("blazeface", tmp_path / "face.tflite") == "blazeface"

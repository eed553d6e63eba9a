"""How soon a stream finds who is new, and how much work that is in any one frame."""

from functools import cache

import cv2
import numpy as np
import pytest

from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.blazeface import BlazeFace
from fer_web.vision.boxes import iou_matrix, join_faces
from fer_web.vision.changes import ChangeWatch
from fer_web.vision.faces import build_detector
from fer_web.vision.newcomers import MAX_WAITING_FRAMES, REJECTED_S, NewcomerSearch
from fer_web.vision.regions import Region, SearchPart, whole_frame
from fer_web.vision.tracking import FaceTracker
from fer_web.vision.types import Faces
from tests.support.faces import astronaut_bgr, grace_hopper_bgr

FRAME_S = 1 / 30
FRAME = np.zeros((480, 640, 3), np.uint8)
SHARE_OF_HEAD = 1.17
MOST_RUNS = 4
MOST_HURRIED_RUNS = 10


@pytest.fixture(scope="module")
def blazeface():
    return build_detector("blazeface", BLAZEFACE_PATH)


@pytest.fixture
def runs(monkeypatch):
    """Counts the runs of the network: one number for each frame that `Live` shows."""
    find, counts = BlazeFace.find, []

    def counted(network, *arguments):
        counts[-1] += 1
        return find(network, *arguments)

    monkeypatch.setattr(BlazeFace, "find", counted)
    return counts


@cache
def noises():
    rng = np.random.default_rng(0)
    return [rng.normal(0, 2, FRAME.shape).round().astype(np.int16) for _ in range(7)]


class Live:
    """A stream at 30 frames a second, with the noise of a camera."""

    def __init__(self, detector, runs=None):
        self.tracker, self.detector, self.runs = FaceTracker(), detector, runs
        self.number = 0

    def show(self, still_bgr):
        frame = np.clip(still_bgr + noises()[self.number % 7], 0, 255).astype(np.uint8)
        if self.runs is not None:
            self.runs.append(0)
        self.number += 1
        return self.tracker.update(frame, self.number * FRAME_S, self.detector)

    def frames_until(self, still_bgr, count, limit=90):
        """The number of frames, from 1, until so many faces are seen."""
        return next((step for step in range(1, limit + 1) if len(self.show(still_bgr).ids) == count), limit)


def head_bgr(head_px, portrait=None):
    """A portrait scaled so that its head, chin to mid-forehead, has this size."""
    picture = astronaut_bgr()[:320, 64:384] if portrait is None else portrait
    side = round(head_px * 320 / (92 * SHARE_OF_HEAD))
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def with_head(frame_bgr, x, y, head_px, portrait=None):
    """A copy of the frame with a portrait whose left upper corner is at a place."""
    picture, frame = head_bgr(head_px, portrait), frame_bgr.copy()
    frame[y : y + len(picture), x : x + len(picture)] = picture[: 480 - y, : 640 - x]
    return frame


def wall(level=90):
    return np.full((480, 640, 3), level, np.uint8)


def rich_ground():
    """A frame full of texture: checks and stripes of many sizes, in which the network sees some faces."""
    rng = np.random.default_rng(3)
    layers = [
        cv2.resize(rng.uniform(0, 255, (480 // size, 640 // size, 3)).astype(np.float32), (640, 480))
        for size in (4, 10, 24, 60)
    ]
    return np.clip(np.mean(layers, axis=0) * 1.6 - 76, 0, 255).astype(np.uint8)


def hopper():
    return grace_hopper_bgr()[0:400, 60:460]


@pytest.mark.parametrize("ground", [wall(), rich_ground()])
def test_no_frame_of_a_stream_has_more_than_four_runs_of_the_network(blazeface, runs, ground):
    live = Live(blazeface, runs)
    still = with_head(ground, 60, 80, 100)
    for _ in range(75):
        live.show(still)
    assert max(runs) <= MOST_HURRIED_RUNS + 1
    # The known face takes one more.
    assert max(runs[15:]) <= MOST_RUNS + 1
    assert sum(runs[15:]) <= 60 * 2.6


def test_face_that_flickers_does_not_begin_the_search_again_each_time(blazeface, runs):
    live, still = Live(blazeface, runs), with_head(wall(), 60, 80, 100)
    for step in range(90):
        live.show(still if step % 6 < 3 else wall())
    hurried = [count for count in runs[30:] if count > MOST_RUNS + 1]
    assert len(hurried) <= 10


def test_every_frame_of_an_empty_room_is_cheap(blazeface, runs):
    live = Live(blazeface, runs)
    for _ in range(60):
        live.show(wall())
    assert max(runs) <= MOST_HURRIED_RUNS
    assert sum(runs[10:]) <= 50


@pytest.mark.parametrize(("head_px", "within_s"), [(150, 0.3), (60, 1.0)])
@pytest.mark.parametrize("wait", [20, 23, 27])
def test_newcomer_beside_a_known_face_is_found_in_time(blazeface, head_px, within_s, wait):
    live = Live(blazeface)
    before = with_head(wall(), 20, 100, 80)
    for _ in range(wait):
        live.show(before)
    after = with_head(before, 330, 40, head_px, hopper()) if head_px < 100 else before.copy()
    if head_px >= 100:
        portrait = head_bgr(head_px)[:, :310]
        after[20 : 20 + len(portrait), 640 - portrait.shape[1] :] = portrait
    assert live.frames_until(after, 2) * FRAME_S <= within_s + 1e-9


@pytest.mark.parametrize("ground", [wall(180), rich_ground()])
def test_new_faces_are_found_soon_after_a_cut(blazeface, runs, ground):
    live = Live(blazeface, runs)
    for _ in range(20):
        live.show(with_head(wall(20), 20, 100, 80))
    scene = with_head(with_head(ground, 10, 30, 60, hopper()), 330, 180, 80)
    boxes = [live.show(scene).faces.xyxy for _ in range(6)][-1]
    assert sum(boxes[:, 0] < 300) == sum(boxes[:, 0] > 300) == 1
    assert max(runs[20:]) <= MOST_HURRIED_RUNS + 2


def test_ten_faces_are_all_found_and_no_frame_has_much_work(blazeface, runs):
    still = wall()
    for index in range(10):
        portrait = None if index % 2 else hopper()
        still = with_head(still, 20 + 122 * (index % 5), 90 + 180 * (index // 5), 36, portrait)
    live = Live(blazeface, runs)
    assert live.frames_until(still, 10, limit=60) <= 45
    assert max(count - 10 for count in runs) <= MOST_HURRIED_RUNS


def test_two_streams_of_the_same_frames_see_the_same(blazeface):
    still = with_head(rich_ground(), 60, 80, 60)
    first, second = Live(blazeface), Live(blazeface)
    for _ in range(20):
        ours, theirs = first.show(still), second.show(still)
        assert ours.ids == theirs.ids
        np.testing.assert_array_equal(ours.faces.xyxy, theirs.faces.xyxy)


def test_candidate_that_moved_while_it_waited_is_found_where_it_is_now(blazeface):
    still = with_head(wall(), 200, 80, 100)
    (part, *_) = blazeface.parts(480, 640)
    candidate = blazeface.find(still, part).take([0])
    moved = np.roll(still, (10, 20), axis=(0, 1))
    now, before = blazeface.check(moved, candidate), blazeface.check(still, candidate)
    assert now.xyxy[0] == pytest.approx(before.xyxy[0] + [20, 10, 20, 10], abs=6)
    assert len(blazeface.check(wall(), candidate)) == 0


def face(x, y, side=60, score=0.9):
    xyxy = np.array([[x - side / 2, y - side / 2, x + side / 2, y + side / 2]], np.float32)
    return Faces(xyxy, np.array([score], np.float32), np.full((1, 2, 2), np.nan, np.float32))


class TiledDetector:
    """A whole frame and four tiles; each pass sees the candidates of its region, of which some are faces."""

    name = "tiled"
    has_checks = True

    def __init__(self, *candidates, are_faces=True):
        self.candidates, self.are_faces = list(candidates), are_faces
        self.passes, self.checks = [], []

    def parts(self, height, width):
        quarters = [Region(x, y, 320) for y in (160, 320) for x in (160, 480)]
        whole = SearchPart(whole_frame(height, width), 0.2)
        return (whole, *(SearchPart(quarter, 1.0) for quarter in quarters))

    def find(self, frame_bgr, part):
        self.passes.append(part)
        inside = [
            each
            for each in self.candidates
            if part.region.contains(*((each.xyxy[0, :2] + each.xyxy[0, 2:]) / 2))
        ]
        return join_faces(inside)

    def check(self, frame_bgr, candidate):
        self.checks.append(candidate)
        return candidate if self.are_faces else Faces.none()


def search(newcomers, detector, now_s, known=None, missing=None, pace=1):
    none = Faces.none()
    return newcomers.search(FRAME, now_s, detector, known=known or none, missing=missing or none, pace=pace)


def settled(detector):
    """A search that has been over all parts, at the time 1."""
    newcomers = NewcomerSearch(1.0)
    for step in range(31):
        search(newcomers, detector, step * FRAME_S)
    detector.passes.clear()
    detector.checks.clear()
    return newcomers


def test_each_part_is_searched_in_the_interval_one_at_a_time():
    detector = TiledDetector()
    newcomers = settled(detector)
    for step in range(1, 31):
        before = len(detector.passes)
        search(newcomers, detector, 1 + step * FRAME_S)
        assert len(detector.passes) - before <= 1
    assert set(detector.passes) == set(detector.parts(480, 640))


def test_pattern_that_is_no_face_is_left_alone_for_a_while():
    detector = TiledDetector(face(160, 160, score=0.5), are_faces=False)
    newcomers = settled(detector)
    for step in range(1, 91):
        search(newcomers, detector, 1 + step * FRAME_S)
    assert 1 <= len(detector.checks) <= 3 / REJECTED_S + 1
    detector.checks.clear()
    detector.candidates = [face(160, 160, score=0.8)]
    for step in range(8):
        search(newcomers, detector, 4.01 + step * FRAME_S)
    assert len(detector.checks) == 1


def test_known_faces_are_not_checked_again():
    known = face(160, 160)
    detector = TiledDetector(known)
    newcomers = settled(detector)
    for step in range(1, 61):
        assert len(search(newcomers, detector, 1 + step * FRAME_S, known=known)) == 0
    assert detector.checks == []


def test_candidates_that_wait_for_long_are_dropped():
    places = [(40 + 80 * column, 40 + 80 * row) for row in range(6) for column in range(8)]
    detector = TiledDetector(*[face(x, y, score=0.5) for x, y in places], are_faces=False)
    newcomers = settled(detector)
    newcomers.begin_again(2.0)
    search(newcomers, detector, 2.0)
    detector.candidates = []
    detector.checks.clear()
    for step in range(1, 20):
        search(newcomers, detector, 2.0 + step * FRAME_S)
    assert len(detector.checks) < 2 * MAX_WAITING_FRAMES


def test_clear_candidates_of_a_crowd_all_get_their_check():
    crowd = [face(60 + 100 * column, 60 + 100 * row) for row in range(4) for column in range(5)]
    detector = TiledDetector(*crowd, are_faces=False)
    newcomers = settled(detector)
    newcomers.begin_again(2.0)
    search(newcomers, detector, 2.0)
    detector.candidates = []
    for step in range(1, 25):
        search(newcomers, detector, 2.0 + step * FRAME_S)
    assert len({tuple(each.xyxy[0].tolist()) for each in detector.checks}) == len(crowd)


def test_surroundings_of_a_missing_face_are_searched_first():
    detector = TiledDetector()
    newcomers = settled(detector)
    missing = face(500, 400)
    for step in range(1, 13):
        search(newcomers, detector, 1 + step * FRAME_S, missing=missing)
    around = [part for part in detector.parts(480, 640)[1:] if part.region.contains(500, 400)]
    assert sum(part in around for part in detector.passes) >= 2


def test_stream_of_one_frame_a_second_is_searched_whole_in_each():
    detector = TiledDetector()
    newcomers = settled(detector)
    search(newcomers, detector, 3.0, pace=30)
    assert set(detector.passes) == set(detector.parts(480, 640))


def test_cut_is_noticed_and_a_moving_picture_is_none():
    changes, picture = ChangeWatch(), rich_ground()
    first = changes.look(picture)
    assert (first.is_cut, len(first.places_xy)) == (False, 0)
    assert not any(changes.look(np.roll(picture, 3 * step, axis=1)).is_cut for step in range(10))
    assert changes.look(wall(250)).is_cut
    assert not changes.look(wall(250)).is_cut
    assert not changes.look(np.full((2, 1, 3), 250, np.uint8)).is_cut


def test_places_that_change_are_told_each_and_noise_is_none():
    changes, still = ChangeWatch(), with_head(rich_ground(), 20, 20, 40)
    for noise in noises():
        assert len(changes.look(np.clip(still + noise, 0, 255).astype(np.uint8)).places_xy) == 0
    moved = still.copy()
    moved[100:180, 240:320], moved[400:460, 560:620] = 0, 255
    places = changes.look(moved).places_xy
    assert places.shape == (2, 2)
    assert np.abs(places - [[280, 140], [590, 430]]).max() < 25
    assert len(changes.look(moved).places_xy) == 0


def test_parts_where_something_moved_are_searched_first_unless_a_known_face_did():
    detector = TiledDetector()
    quarter = next(part for part in detector.parts(480, 640)[1:] if part.region.contains(500, 350))
    for known, most in ((Faces.none(), 2), (face(480, 330), 99)):
        newcomers = settled(detector)
        newcomers.notice(np.array([[500, 350]], np.float32), 1 + FRAME_S, known)
        for step in range(1, 31):
            search(newcomers, detector, 1 + step * FRAME_S)
        assert detector.passes.index(quarter) < most
        assert len(detector.passes) <= 30
        if known:
            assert quarter not in detector.passes[:2]


def test_stills_are_searched_as_ever(blazeface):
    still = with_head(with_head(wall(), 10, 30, 60, hopper()), 330, 180, 80)
    found = blazeface.search(still)
    assert len(found) == 2
    assert (iou_matrix(found.xyxy, found.xyxy) - np.eye(2) < 0.1).all()

import cv2
import numpy as np
import pytest

from fer_web.vendor_files import BLAZEFACE_PATH
from fer_web.vision.boxes import centres, join_faces
from fer_web.vision.faces import build_detector
from fer_web.vision.one_pass import OnePassSearch
from fer_web.vision.tracking import CLEAR_SCORE, TRIAL_FRAMES, FaceTracker
from fer_web.vision.types import Faces
from tests.support.faces import astronaut_bgr, camera_frame_bgr, grace_hopper_bgr

FRAME = np.zeros((480, 640, 3), np.uint8)
FRAME_S = 1 / 30
SIDE = 60


def face(x, y, side=SIDE):
    xyxy = np.array([[x - side / 2, y - side / 2, x + side / 2, y + side / 2]], np.float32)
    return Faces(xyxy, np.array([0.9], np.float32), np.full((1, 2, 2), np.nan, np.float32))


class ScriptedDetector(OnePassSearch):
    """Sees what the test puts into `present`; near a face it sees as far as the real one does."""

    name = "scripted"

    def __init__(self, *present):
        self.present = list(present)
        self.searches = 0
        self.looks = 0

    def search(self, frame_bgr):
        self.searches += 1
        return join_faces(self.present)

    def look_near(self, frame_bgr, faces):
        return join_faces([self._nearest(faces.take([index])) for index in range(len(faces))])

    def _nearest(self, known):
        self.looks += 1
        distances = [np.abs(centres(one.xyxy) - centres(known.xyxy)).max() for one in self.present]
        if not distances or min(distances) > SIDE / 2:
            return Faces.none()
        return self.present[int(np.argmin(distances))]


class Stream:
    """A tracker fed at 30 frames a second."""

    def __init__(self, detector, **options):
        self.detector = detector
        self.tracker = FaceTracker(**options)
        self.time_s = 100.0

    def show(self, *present, frames=1):
        for _ in range(frames):
            self.detector.present = list(present)
            result = self.tracker.update(FRAME, self.time_s, self.detector)
            self.time_s += FRAME_S
        return result


@pytest.fixture
def stream():
    return Stream(ScriptedDetector())


def test_update_first_frame_is_searched(stream):
    assert stream.show(face(100, 100)).ids == (1,)
    stream.show(face(100, 100))
    assert stream.detector.searches == 1


def test_update_nobody_gives_no_faces(stream):
    result = stream.show()
    assert result.ids == ()
    assert len(result.faces) == 0


def test_update_moving_face_keeps_its_id(stream):
    for step in range(60):
        result = stream.show(face(60 + 8 * step, 100 + 3 * step))
        assert result.ids == (1,)
    assert centres(result.faces.xyxy)[0] == pytest.approx([60 + 8 * 59, 100 + 3 * 59])


def test_update_face_hidden_for_half_a_second_comes_back_with_its_id(stream):
    stream.show(face(200, 200), frames=5)
    assert stream.show(frames=16).ids == ()
    assert stream.show(face(220, 210), frames=8).ids == (1,)


def test_update_face_gone_for_long_gets_a_new_id(stream):
    stream.show(face(200, 200), frames=5)
    stream.show(frames=60)
    assert stream.show(face(200, 200), frames=10).ids == (2,)


def test_update_another_face_elsewhere_is_not_the_lost_one(stream):
    stream.show(face(100, 100), frames=3)
    assert stream.show(face(500, 400), frames=10).ids == (2,)


def test_update_other_size_is_not_the_lost_one(stream):
    stream.show(face(300, 200, side=50), frames=3)
    stream.show(frames=6)
    assert stream.show(face(320, 200, side=200), frames=10).ids == (2,)


def test_update_two_people_crossing_keep_their_ids(stream):
    for step in range(60):
        left_to_right, right_to_left = face(100 + 7 * step, 200), face(520 - 7 * step, 215)
        # While they overlap, the one behind is not seen.
        is_hidden = abs(420 - 14 * step) < 45
        present = [left_to_right] if is_hidden else [left_to_right, right_to_left]
        result = stream.show(*present)
    x_of = dict(zip(result.ids, centres(result.faces.xyxy)[:, 0].tolist(), strict=True))
    assert x_of == {1: pytest.approx(513), 2: pytest.approx(107)}


def test_update_one_face_is_never_reported_twice(stream):
    stream.show(face(200, 200), face(250, 200), frames=2)
    result = stream.show(face(225, 200), frames=10)
    assert len(result.ids) == 1


def test_update_newcomer_is_found_within_the_search_interval(stream):
    stream.show(face(100, 100), frames=3)
    ids = [stream.show(face(100, 100), face(400, 300)).ids for _ in range(31)]
    assert ids[-1] == (1, 2)


def test_update_steady_face_costs_one_search_a_second(stream):
    stream.show(face(100, 100), frames=30 * 5)
    assert stream.detector.searches <= 6


def test_update_empty_room_costs_at_most_five_searches_a_second(stream):
    stream.show(frames=30 * 5)
    assert stream.detector.searches <= 26


def test_update_flickering_face_costs_at_most_five_searches_a_second(stream):
    for step in range(150):
        stream.show(*([face(100, 100)] if step % 2 else []))
    assert stream.detector.searches <= 26


def test_update_one_look_for_each_tracked_face(stream):
    stream.show(face(100, 100), face(400, 300))
    stream.detector.looks = 0
    stream.show(face(100, 100), face(400, 300))
    assert stream.detector.looks == 2


def test_update_more_faces_than_allowed_follows_the_best(stream):
    stream = Stream(ScriptedDetector(), max_faces=3)
    crowd = [face(80 * column, 80 * row) for row in range(1, 5) for column in range(1, 7)]
    assert stream.show(*crowd, frames=40).ids == (1, 2, 3)


def test_update_ids_are_never_used_again(stream):
    seen = set()
    for _ in range(5):
        (face_id,) = stream.show(face(200, 200), frames=10).ids
        assert face_id not in seen
        seen.add(face_id)
        stream.show(frames=40)


@pytest.mark.parametrize(
    "jump_s", [-1e6, -0.5, 0.0, 3600.0, 1e300, float("nan"), float("inf"), float("-inf")]
)
def test_update_time_that_jumps_keeps_a_visible_face(stream, jump_s):
    stream.show(face(200, 200), frames=5)
    stream.time_s += jump_s
    assert stream.show(face(203, 200), frames=3).ids == (1,)
    stream.time_s = 100.0
    assert stream.show(face(206, 200), frames=40).ids == (1,)


def test_update_time_that_runs_backwards_still_finds_newcomers(stream):
    stream.show(face(100, 100), frames=5)
    stream.time_s = 0.0
    assert stream.show(face(100, 100), face(400, 300), frames=35).ids == (1, 2)


@pytest.mark.parametrize("step_s", [0.0, -0.033])
def test_update_clock_that_never_moves_on_still_finds_a_face_that_comes(step_s):
    detector, tracker = build_detector("blazeface", BLAZEFACE_PATH), FaceTracker()
    found = []
    for number in range(45):
        frame = np.full((480, 640, 3), 90, np.uint8) if number == 0 else camera_frame_bgr()
        found.append(len(tracker.update(frame, 100.0 + number * step_s, detector).faces))
    assert found[0] == 0
    assert found[-1] == 1


def test_update_frame_size_change_keeps_the_id(stream):
    stream.show(face(200, 200), frames=5)
    stream.detector.present = [face(400, 400, side=120)]
    result = stream.tracker.update(np.zeros((960, 1280, 3), np.uint8), stream.time_s, stream.detector)
    assert result.ids == (1,)


def test_update_real_face_over_30_frames_keeps_one_id():
    detector, tracker = build_detector("blazeface", BLAZEFACE_PATH), FaceTracker()
    for step in range(30):
        shift_x = round(80 * np.sin(step / 5))
        result = tracker.update(camera_frame_bgr(shift_x=shift_x), step * FRAME_S, detector)
        assert result.ids == (1,)
        centre_x = float(centres(result.faces.xyxy)[0, 0])
        assert centre_x == pytest.approx(96 + 225 * 448 / 512 + shift_x, abs=8)


def doubtful(x, y):
    seen = face(x, y)
    return Faces(seen.xyxy, np.array([CLEAR_SCORE - 0.05], np.float32), seen.eyes_xy)


def test_update_pattern_that_looks_like_a_face_for_a_moment_is_not_shown_and_takes_no_number():
    detector, tracker = ScriptedDetector(doubtful(100, 100)), FaceTracker()
    shown = [tracker.update(FRAME, step * FRAME_S, detector).ids for step in range(TRIAL_FRAMES)]
    assert shown == [()] * TRIAL_FRAMES
    detector.present = [face(400, 200)]
    times = [(TRIAL_FRAMES + step) * FRAME_S for step in range(40)]
    assert {ids for time_s in times if (ids := tracker.update(FRAME, time_s, detector).ids)} == {(1,)}


def test_update_doubtful_face_that_stays_is_shown_soon():
    detector, tracker = ScriptedDetector(doubtful(100, 100)), FaceTracker()
    shown = [tracker.update(FRAME, step * FRAME_S, detector).ids for step in range(TRIAL_FRAMES + 2)]
    assert shown == [()] * TRIAL_FRAMES + [(1,), (1,)]


HEADS = {
    "Collins": (astronaut_bgr()[20:230, 120:330], 190),
    "Hopper": (grace_hopper_bgr()[95:405, 105:415], 190),
}


def scene(**left_of):
    """People by name, with the left edge of each one's picture."""
    frame = np.full((480, 640, 3), 90, np.uint8)
    for name, left in left_of.items():
        head, side = HEADS[name]
        frame[140 : 140 + side, left : left + side] = cv2.resize(head, (side, side))
    return frame


class RealStream:
    def __init__(self):
        self.detector, self.tracker = build_detector("blazeface", BLAZEFACE_PATH), FaceTracker()
        self.frames = 0

    def show(self, frame_bgr, frames):
        for _ in range(frames):
            self.frames += 1
            result = self.tracker.update(frame_bgr, self.frames * FRAME_S, self.detector)
        lefts = result.faces.xyxy[:, 0].tolist()
        return [number for _, number in sorted(zip(lefts, result.ids, strict=True))]


@pytest.mark.parametrize("away_frames", [45, 90])
def test_update_who_comes_back_elsewhere_has_the_same_id_and_another_has_a_new_one(away_frames):
    same, other = RealStream(), RealStream()
    for stream in (same, other):
        assert stream.show(scene(Collins=60), 20) == [1]
        assert stream.show(scene(), away_frames) == []
    assert same.show(scene(Collins=380), 25) == [1]
    assert other.show(scene(Hopper=60), 25) == [2]


def test_update_people_who_changed_places_while_the_picture_was_cut_keep_their_ids():
    stream = RealStream()
    before = stream.show(scene(Collins=60, Hopper=380), 20)
    stream.show(np.full((480, 640, 3), 200, np.uint8), 5)
    assert stream.show(scene(Hopper=60, Collins=380), 30) == before[::-1]


def test_update_the_nearer_who_passes_keeps_its_id_and_so_does_the_covered_one():
    stream = RealStream()
    before = stream.show(scene(Collins=20, Hopper=420), 20)
    for step in range(0, 401, 8):
        shown = stream.show(scene(Collins=20 + step, Hopper=420 - step), 1)
        assert len(shown) == len(set(shown))
    assert stream.show(scene(Collins=420, Hopper=20), 20) == before[::-1]


def call_of_16():
    frame = np.full((1080, 1920, 3), 26, np.uint8)
    tile = cv2.resize(grace_hopper_bgr()[20:400], (320, 238), interpolation=cv2.INTER_AREA)
    for row in range(4):
        for column in range(4):
            frame[15 + 265 * row : 253 + 265 * row, 80 + 470 * column : 400 + 470 * column] = tile
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", frame)[1], cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("fps", [10, 30])
def test_all_of_a_call_are_found_and_who_is_left_out_is_told(fps):
    frame, detector = call_of_16(), build_detector("blazeface", BLAZEFACE_PATH)
    everybody, ten = FaceTracker(max_faces=64), FaceTracker(max_faces=10)
    for number in range(20):
        found = everybody.update(frame, number / fps, detector)
        fewer = ten.update(frame, number / fps, detector)
    assert (len(found.ids), everybody.remarks) == (16, ())
    assert len(fewer.ids) == 10
    assert "10 of 16 faces shown" in ten.remarks[0]

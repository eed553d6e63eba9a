import dataclasses

import pytest

from fer_web.history.live_recording import MAX_WAITING, LiveRecording, SessionClock
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS
from tests.support.face_results import face
from tests.support.sessions import session_with


def recording_at(sample_hz=5.0, now_s=100.0):
    return LiveRecording(session_with(sample_hz=sample_hz), SessionClock(now_s), "client")


def times_of(recording):
    return [(each.at_s, each.face) for each in recording.waiting]


@pytest.mark.parametrize(
    ("frames", "expected_ms"),
    [
        # (captured, analysed): distances are those of capture, however the network delays frames.
        ([(7.0, 100.0), (7.1, 100.4), (7.2, 100.5)], [0, 100, 200]),
        # The first frame came late after the start.
        ([(7.0, 103.0), (7.1, 103.1)], [3000, 3100]),
        # The client's clock jumps an hour ahead, then back.
        ([(7.0, 100.0), (3607.0, 100.1), (3607.1, 100.2), (7.3, 100.3)], [0, 100, 200, 300]),
        # It stands still, or goes back a little: no time has passed.
        ([(7.0, 100.0), (7.0, 100.1), (6.9, 100.2), (7.2, 100.3)], [0, None, None, 200]),
        # It runs at double speed: followed to the tolerance, then held to the server's.
        ([(7.0, 100.0), (9.0, 101.0), (11.2, 102.0), (11.4, 102.1)], [0, 2000, None, 2200]),
        ([(9e9, 100.0), (-9e9, 100.2)], [0, 200]),
    ],
)
def test_clock_follows_the_capture_unless_it_jumps(frames, expected_ms):
    clock = SessionClock(100.0)
    assert [clock.tick(*frame) for frame in frames] == expected_ms


def test_clock_of_another_stream_goes_on_from_the_servers():
    clock = SessionClock(100.0)
    assert clock.tick(7.0, 101.0) == 1000
    clock.begin_stream()
    assert clock.tick(6.5, 101.5) == 1500


def test_elapsed_is_never_before_the_last_frame():
    clock = SessionClock(100.0)
    clock.tick(7.0, 100.0)
    clock.tick(8.9, 100.0)
    assert clock.elapsed_s(100.5) == 1.9
    assert clock.elapsed_s(110.0) == 10.0


def test_take_keeps_raw_scores_and_what_was_shown():
    recording = recording_at()
    recording.take(7.0, [face(1)], 100.0)
    (sample,) = recording.waiting
    expected = (0.0, 1, (0.1, 0.2, 0.3, 0.4), face(1).raw_scores, 3, 0.9, True, None, None)
    assert dataclasses.astuple(sample) == expected


def test_take_keeps_what_an_unsure_face_was_told_with():
    unsure = dataclasses.replace(face(1), is_sure=False, reason="dark")
    recording = recording_at()
    recording.take(7.0, [unsure], 100.0)
    (sample,) = recording.waiting
    assert (EMOTIONS[sample.rival], REASONS[sample.reason]) == (unsure.rival, "dark")
    recording.take(8.0, [dataclasses.replace(unsure, reason=None)], 101.0)
    assert recording.waiting[-1].reason is None


@pytest.mark.parametrize(
    ("fps", "hz"), [(30, 5.0), (24, 5.0), (60, 5.0), (7, 5.0), (3, 5.0), (30, 30.0), (30, 0.5)]
)
def test_take_samples_at_the_rate_whatever_the_camera(fps, hz):
    recording = recording_at(hz)
    for frame in range(fps * 20):
        recording.take(7.0 + frame / fps, [face(1), face(2)], 100.0 + frame / fps)
    for number in (1, 2):
        assert sum(at[1] == number for at in times_of(recording)) == pytest.approx(min(fps, hz) * 20, abs=1)


def test_take_samples_a_face_that_appears_between_at_once_and_no_face_twice():
    recording = recording_at()
    for at_s, numbers in ((0.0, [1]), (0.05, [1, 2]), (0.1, []), (0.15, [2]), (0.2, [2])):
        recording.take(7.0 + at_s, [face(number) for number in numbers], 100.0 + at_s)
    assert times_of(recording) == [(0.0, 1), (0.05, 2), (0.15, 2)]


def test_another_clients_faces_get_numbers_of_their_own():
    recording = recording_at()
    recording.take(7.0, [face(1), face(4)], 100.0)
    recording.begin_stream("client")
    recording.take(8.0, [face(1)], 101.0)
    recording.begin_stream("another")
    recording.take(0.0, [face(1), face(2)], 102.0)
    assert [number for _, number in times_of(recording)] == [1, 4, 1, 5, 6]


def test_take_keeps_no_more_than_may_wait_and_says_that_there_is_a_gap():
    recording = recording_at()
    recording.waiting = [None] * (MAX_WAITING - 1)
    recording.take(7.0, [face(1), face(2)], 100.0)
    assert (len(recording.waiting), recording.has_gap) == (MAX_WAITING, True)
    assert recording.waiting[-1].face == 1

"""Sources are named safely, and a stream that breaks, hangs or is not there is connected anew."""

import threading
from functools import partial

import numpy as np
import pytest

from fer_web.analysis.cameras import camera_stream
from fer_web.analysis.cameras.camera_source import open_frames, parse_source
from fer_web.analysis.cameras.camera_stream import CameraStream
from fer_web.errors import CameraError, InvalidValueError
from tests.support.stream_server import StreamServer, mpeg_ts

FRAME = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)


@pytest.mark.parametrize(
    ("text", "shown", "is_device"),
    [
        ("0", "0", True),
        ("/dev/video2", "/dev/video2", True),
        ("rtsp://me:secret@10.0.0.2:554/a?token=b#c", "rtsp://10.0.0.2:554/a", False),
        ("http://[::1]:8080/live", "http://[::1]:8080/live", False),
        ("RTSP://camera/1", "rtsp://camera/1", False),
    ],
)
def test_a_source_is_shown_without_its_password(text, shown, is_device):
    source = parse_source(text)
    assert (source.shown, source.is_device) == (shown, is_device)


@pytest.mark.parametrize(
    "text",
    ["", "camera", "-1", "1234", "/etc/passwd", "file:///etc/passwd", "concat:a|b", "rtsp://", "http://a:b/"],
)
def test_what_is_no_camera_is_refused(text):
    with pytest.raises(InvalidValueError, match="is no camera"):
        parse_source(text)


def test_a_wrong_address_does_not_tell_its_password():
    with pytest.raises(InvalidValueError) as error:
        parse_source("ftp://me:secret@10.0.0.2/a")
    assert "secret" not in str(error.value)


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(camera_stream, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(camera_stream, "LONGEST_WAIT_S", 0.2)
    return []


def read_until(stream, frames):
    """Wait for so many frames; the stream drops what is not taken."""
    found = []
    for _ in range(600):
        if (captured := stream.next_frame(0.1)) is not None:
            found.append(captured)
        if len(found) >= frames:
            return found
    raise AssertionError(f"{len(found)} of {frames} frames came")


@pytest.mark.parametrize("turn", ["ends", "hangs", "refuses", "silent"])
def test_a_stream_that_breaks_comes_back(told, turn):
    with StreamServer(mpeg_ts(FRAME), [turn, "runs"]) as server:
        opens = partial(open_frames, timeout_s=1.0, max_pixels=1_000_000)
        stream = CameraStream(parse_source(server.url), opens, told.append)
        stream.start()
        while server.connections < 2 or stream.connections == 0:
            stream.next_frame(0.1)
        (captured, *_) = read_until(stream, 3)
        stream.stop()
    assert captured.frame_bgr.shape == (120, 160, 3)
    assert told
    assert server.url in told[0]


def test_a_stream_with_frames_that_are_too_large_is_told(told):
    with StreamServer(mpeg_ts(FRAME), ["runs"]) as server:
        frames = open_frames(parse_source(server.url), 5.0, 1000)
        with pytest.raises(CameraError, match=r"160 x 120 pixels; up to 1000"):
            next(frames)


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(CameraError, match="cannot be opened"):
        next(open_frames(parse_source("/dev/video987"), 1.0, 1_000_000))


def test_each_so_many_frame_is_taken_and_attempts_become_rarer(told):
    attempts = []

    def opens(_source):
        attempts.append(1)
        if len(attempts) > 1:
            raise CameraError("gone.")
        yield from (np.full((2, 2, 3), number, np.uint8) for number in range(10))
        raise CameraError("broken.")

    stream = CameraStream(parse_source("0"), opens, told.append, every=3)
    stream.start()
    threading.Event().wait(1.0)
    stream.stop()
    assert stream.frames == 4
    assert 3 <= len(attempts) <= 9
    assert told == ["broken.", "gone."]  # not once for each attempt

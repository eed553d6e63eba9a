import contextlib
import resource
import signal

import cv2
import numpy as np
import pytest

from fer_web.analysis.draft_files import draft_of
from fer_web.analysis.videos import video_encoders
from fer_web.analysis.videos.annotated_video import AnnotatedVideo
from fer_web.analysis.videos.video import AnalysedFrame
from fer_web.analysis.videos.video_encoders import choose_form
from fer_web.analysis.videos.video_reader import VideoFrame, VideoLimits, VideoReader
from fer_web.errors import InvalidValueError, SetupError, VideoWriteError
from fer_web.inference.results import FaceResult
from tests.support.made_videos import number_of, numbered_frames, on_path, with_sound, write_video

LIMITS = VideoLimits(1_000_000, 1.0)
SIZE_HW = (360, 480)
"""Large enough that annotating enlarges nothing."""


@pytest.fixture
def source(tmp_path):
    return with_sound(write_video(tmp_path / "plain.avi", numbered_frames(20)), tmp_path / "source.mp4")


@pytest.fixture
def with_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", on_path(tmp_path / "bin"))


@pytest.fixture
def without_ffmpeg(monkeypatch):
    monkeypatch.setenv("PATH", "")


def write(path, source, times, fps=10.0, size_hw=SIZE_HW):
    """The n-th frame at the n-th time; returns the form."""
    form = choose_form(path.suffix)
    video = AnnotatedVideo(path, source, fps, form)
    try:
        for number, (at_s, frame) in enumerate(zip(times, numbered_frames(len(times), size_hw), strict=True)):
            video.add(AnalysedFrame(VideoFrame(number, at_s, frame), ()))
        video.finish()
    finally:
        video.cancel()
    return form


def read(path):
    with VideoReader(path, LIMITS) as reader:
        return [(number_of(frame.frame_bgr), frame.at_s) for frame in reader]


def shown_at(frames, at_s):
    """The number of the frame that a player shows at a time."""
    return max((each for each in frames if each[1] <= at_s + 1e-6), key=lambda each: each[1])[0]


def tracks_of(path):
    data = path.read_bytes()
    return {name for name in (b"vide", b"soun", b"avc1", b"mp4a") if name in data}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_times_stay_right_within_a_frame_of_the_source(tmp_path, source, with_ffmpeg, suffix):
    times = [0.1 * number if number < 8 else 0.8 + 0.5 * (number - 8) for number in range(12)]
    write(tmp_path / f"out{suffix}", source, times)
    frames = read(tmp_path / f"out{suffix}")
    for number, at_s in enumerate(times):
        assert shown_at(frames, at_s + 0.04) == number
        assert number == 0 or shown_at(frames, at_s - 0.04) == number - 1


def test_h264_keeps_the_sound(tmp_path, source, with_ffmpeg):
    form = write(tmp_path / "out.mp4", source, [number / 10 for number in range(20)])
    assert tracks_of(tmp_path / "out.mp4") == {b"vide", b"soun", b"avc1", b"mp4a"}
    assert "H.264, with the sound" in form.description


def test_a_video_without_sound_gets_none(tmp_path, source, with_ffmpeg):
    write(tmp_path / "out.mp4", tmp_path / "plain.avi", [0, 0.1])
    assert tracks_of(tmp_path / "out.mp4") == {b"vide", b"avc1"}


def test_odd_sizes_and_changing_ones_are_written(tmp_path, source, with_ffmpeg):
    video = AnnotatedVideo(tmp_path / "out.mp4", source, 10.0, choose_form(".mp4"))
    for number, size_hw in enumerate([(361, 479), (361, 479), (400, 500)]):
        frame = np.full((*size_hw, 3), 90, np.uint8)
        video.add(AnalysedFrame(VideoFrame(number, number / 10, frame), ()))
    video.finish()
    with VideoReader(tmp_path / "out.mp4", LIMITS) as reader:
        assert reader.size_hw == (362, 480)


@pytest.mark.parametrize("suffix", [".avi", ".webm"])
def test_without_ffmpeg_opencv_writes(tmp_path, source, without_ffmpeg, suffix):
    form = write(tmp_path / f"out{suffix}", source, [0, 0.1, 0.2])
    assert shown_at(read(tmp_path / f"out{suffix}"), 0.12) == 1
    assert "without sound" in form.description


def test_without_ffmpeg_the_best_form_is_mjpeg_and_says_why(without_ffmpeg):
    form = choose_form(None)
    assert form.suffix == ".avi"
    assert form.description == "MJPEG without sound, because ffmpeg is not on the PATH"
    with pytest.raises(SetupError, match=r"Install it, or name a folder, \.avi or \.webm"):
        choose_form(".mp4")


def test_an_ffmpeg_without_h264_is_said(monkeypatch):
    monkeypatch.setattr(video_encoders, "_ffmpeg_encoders", lambda: frozenset({"mpeg4"}))
    assert choose_form(None).suffix == ".avi"
    with pytest.raises(SetupError, match=r"no H\.264 encoder"):
        choose_form(".mp4")


def test_an_ffmpeg_that_does_not_run_counts_as_none(tmp_path, monkeypatch):
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_form(None).suffix == ".avi"


def test_other_suffixes_are_refused():
    with pytest.raises(InvalidValueError, match=r"\.gif was given"):
        choose_form(".gif")


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_a_file_that_cannot_grow_is_an_error(tmp_path, source, with_ffmpeg, suffix):
    """What a full disk does, made with the system's limit on the size of files."""
    rng = np.random.default_rng(0)
    video = AnnotatedVideo(tmp_path / f"out{suffix}", source, 30.0, choose_form(suffix))

    def fill():
        for number in range(60):
            frame = rng.integers(0, 255, (*SIZE_HW, 3), np.uint8)
            video.add(AnalysedFrame(VideoFrame(number, number / 30, frame), ()))
        video.finish()

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(VideoWriteError, match=r"Is the disk full|could not write"):
            fill()
    finally:
        video.cancel()
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_is_nearly_full_is_said_at_once(tmp_path, source, without_ffmpeg, monkeypatch):
    monkeypatch.setattr(video_encoders.shutil, "disk_usage", lambda _folder: _Full())
    with pytest.raises(VideoWriteError, match="is full: 1 MB are left"):
        write(tmp_path / "out.avi", source, [0, 0.1])


class _Full:
    free = 1_000_000


def test_cancel_ends_ffmpeg(tmp_path, source, with_ffmpeg):
    encoder = choose_form(".mp4").open(tmp_path / "out.mp4", source, 30.0, SIZE_HW)
    encoder.write(np.zeros((*SIZE_HW, 3), np.uint8))
    process = encoder._process
    assert process.poll() is None
    encoder.cancel()
    assert process.returncode == -signal.SIGKILL
    encoder.cancel()


def test_a_draft_takes_its_place_whole_or_is_removed(tmp_path):
    path = tmp_path / "a.mp4"
    with draft_of(path) as draft:
        draft.write_bytes(b"whole")
        assert (not path.exists(), draft.suffix, draft.parent) == (True, ".mp4", tmp_path)
    assert path.read_bytes() == b"whole"

    def fail():
        with draft_of(path) as draft:
            draft.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"whole"]


def test_written_frames_show_the_boxes(tmp_path, source, without_ffmpeg):
    face = FaceResult(1, (0.25, 0.25, 0.5, 0.5), (0.0,) * 7, (0.0,) * 7, "happy", 0.9, True)
    video = AnnotatedVideo(tmp_path / "out.avi", source, 30.0, choose_form(".avi"))
    video.add(AnalysedFrame(VideoFrame(0, 0.0, np.zeros((*SIZE_HW, 3), np.uint8)), (face,)))
    video.finish()
    capture = cv2.VideoCapture(str(tmp_path / "out.avi"))
    drawn = capture.read()[1]
    assert drawn[86:94, 200:400].max() > 150
    assert drawn[150:200, 200:300].max() < 40


@pytest.mark.usefixtures("with_ffmpeg")
def test_the_sound_of_a_list_of_files_is_not_fetched(tmp_path, source):
    """The frames were read from a video; FFmpeg guesses for itself what the source is."""
    listed = tmp_path / "listed"
    listed.write_text(f"ffconcat version 1.0\nfile {source.name}\n")
    encoder = choose_form(".mp4").open(tmp_path / "out.mp4", listed, 25.0, (64, 64))
    with contextlib.suppress(VideoWriteError):
        encoder.write(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(VideoWriteError):
        encoder.finish()
    encoder.cancel()

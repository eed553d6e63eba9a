import resource
import signal

import numpy as np
import pytest

from fer_web.analysis.draft_files import draft_of
from fer_web.analysis.videos import video_encoders
from fer_web.analysis.videos.annotated_video import AnnotatedVideo
from fer_web.analysis.videos.video import AnalysedFrame
from fer_web.analysis.videos.video_encoders import SUFFIXES, Sound, choose_form
from fer_web.analysis.videos.video_reader import VideoFrame, VideoLimits, VideoReader
from fer_web.errors import InvalidValueError, VideoError, VideoWriteError
from fer_web.inference.results import FaceResult
from tests.support.made_videos import (
    codecs_of,
    number_of,
    numbered_frames,
    tone_of,
    with_sound,
    write_video,
)

LIMITS = VideoLimits(1_000_000, 1.0)
SIZE_HW = (360, 480)
"""Large enough that annotating enlarges nothing."""


@pytest.fixture
def source(tmp_path):
    return with_sound(tmp_path / "source.mp4")


def write(path, source, times, fps=10.0, size_hw=SIZE_HW):
    """The n-th frame at the n-th time; returns the form."""
    form = choose_form(path.suffix)
    video = AnnotatedVideo(path, Sound(source), fps, form)
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


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".avi"])
def test_times_stay_right_within_a_frame_of_the_source(tmp_path, source, suffix):
    times = [0.1 * number if number < 8 else 0.8 + 0.5 * (number - 8) for number in range(12)]
    write(tmp_path / f"out{suffix}", source, times)
    frames = read(tmp_path / f"out{suffix}")
    for number, at_s in enumerate(times):
        assert shown_at(frames, at_s + 0.04) == number
        assert number == 0 or shown_at(frames, at_s - 0.04) == number - 1


@pytest.mark.parametrize(
    ("suffix", "sound", "codecs"),
    [
        (".mp4", "aac", ["h264", "aac"]),
        (".mov", "ac3", ["h264", "ac3"]),
        (".mkv", "pcm_s16le", ["h264", "pcm_s16le"]),
        (".webm", "libopus", ["vp9", "opus"]),
        (".avi", "libmp3lame", ["mjpeg", "mp3"]),
        (".mp4", "pcm_s16le", ["h264", "aac"]),
        (".webm", "aac", ["vp9", "opus"]),
        (".avi", "libopus", ["mjpeg", "mp3"]),
    ],
)
def test_sound_is_copied_where_the_file_may_hold_it_else_encoded_again(tmp_path, suffix, sound, codecs):
    source = write_video(tmp_path / "source.mkv", numbered_frames(20), 10, "libx264", sound=sound)
    form = write(tmp_path / f"out{suffix}", source, [number / 10 for number in range(20)])
    assert codecs_of(tmp_path / f"out{suffix}") == codecs
    assert "with the sound of the video" in form.description
    samples, from_s = tone_of(tmp_path / f"out{suffix}")
    crossings = np.sum(np.diff(samples[4800:-4800] > 0))
    assert crossings == pytest.approx(2 * 440 * (len(samples) - 9600) / 48_000, rel=0.02)
    assert (len(samples) / 48_000, from_s) == (pytest.approx(2, abs=0.1), pytest.approx(0, abs=0.05))


def test_sound_that_begins_later_than_the_pictures_does_so_in_the_copy(tmp_path):
    source = write_video(
        tmp_path / "late.mkv", numbered_frames(20), 10, "libx264", sound="aac", sound_from_s=1.0, sound_s=1.0
    )
    write(tmp_path / "out.mkv", source, [number / 10 for number in range(20)])
    assert tone_of(tmp_path / "out.mkv")[1] == pytest.approx(1.0, abs=0.05)


def test_a_part_gets_the_sound_of_that_part(tmp_path, source):
    video = AnnotatedVideo(tmp_path / "out.mp4", Sound(source, 0.0, 1.5), 10.0, choose_form(".mp4"))
    for number, frame in enumerate(numbered_frames(10, SIZE_HW)):
        video.add(AnalysedFrame(VideoFrame(number, 0.5 + number / 10, frame), ()))
    video.finish()
    assert len(read(tmp_path / "out.mp4")) == pytest.approx(30, abs=2)
    samples, from_s = tone_of(tmp_path / "out.mp4")
    assert (len(samples) / 48_000, from_s) == (pytest.approx(1, abs=0.1), pytest.approx(0, abs=0.05))


def test_a_video_without_sound_gets_none(tmp_path):
    plain = write_video(tmp_path / "plain.avi", numbered_frames(3))
    write(tmp_path / "out.mp4", plain, [0, 0.1])
    assert codecs_of(tmp_path / "out.mp4") == ["h264"]


def test_no_program_is_needed(tmp_path, source, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert choose_form(None).suffix == ".mp4"
    write(tmp_path / "out.mp4", source, [0, 0.1, 0.2])
    assert codecs_of(tmp_path / "out.mp4") == ["h264", "aac"]


def test_colours_stay(tmp_path, source):
    colours = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (128, 128, 128))
    frame = np.concatenate([np.full((SIZE_HW[0], 120, 3), colour, np.uint8) for colour in colours], axis=1)
    for suffix in SUFFIXES:
        video = AnnotatedVideo(tmp_path / f"out{suffix}", Sound(source), 30.0, choose_form(suffix))
        video.add(AnalysedFrame(VideoFrame(0, 0.0, frame), ()))
        video.finish()
        with VideoReader(tmp_path / f"out{suffix}", LIMITS) as reader:
            seen = next(iter(reader)).frame_bgr
        for place, colour in enumerate(colours):
            found = seen[100:260, 120 * place + 40 : 120 * place + 80].mean(axis=(0, 1))
            np.testing.assert_allclose(found, colour, atol=8, err_msg=suffix)


def test_odd_sizes_and_changing_ones_are_written(tmp_path, source):
    video = AnnotatedVideo(tmp_path / "out.mp4", Sound(source), 10.0, choose_form(".mp4"))
    for number, size_hw in enumerate([(361, 479), (361, 479), (400, 500)]):
        frame = np.full((*size_hw, 3), 90, np.uint8)
        video.add(AnalysedFrame(VideoFrame(number, number / 10, frame), ()))
    video.finish()
    with VideoReader(tmp_path / "out.mp4", LIMITS) as reader:
        assert reader.size_hw == (362, 480)


def test_other_suffixes_are_refused():
    with pytest.raises(InvalidValueError, match=r"\.gif was given"):
        choose_form(".gif")


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_a_file_that_cannot_grow_is_an_error(tmp_path, source, suffix):
    """What a full disk does, made with the system's limit on the size of files."""
    rng = np.random.default_rng(0)
    video = AnnotatedVideo(tmp_path / f"out{suffix}", Sound(source), 30.0, choose_form(suffix))

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


def test_a_disk_that_is_nearly_full_is_said_at_once(tmp_path, source, monkeypatch):
    monkeypatch.setattr(video_encoders.shutil, "disk_usage", lambda _folder: _Full())
    with pytest.raises(VideoWriteError, match="is full: 1 MB are left"):
        write(tmp_path / "out.avi", source, [0, 0.1])


class _Full:
    free = 1_000_000


def test_cancel_ends_the_process(tmp_path, source):
    encoder = choose_form(".mp4").open(tmp_path / "out.mp4", Sound(source), 30.0, SIZE_HW)
    encoder.write(np.zeros((*SIZE_HW, 3), np.uint8))
    program = encoder._program
    assert program.status is None
    encoder.cancel()
    assert program.status == -signal.SIGKILL
    encoder.cancel()


def test_an_encoder_that_loses_its_reader_leaves_no_file_that_looks_whole(tmp_path, source):
    encoder = choose_form(".mp4").open(tmp_path / "out.mp4", Sound(source), 30.0, SIZE_HW)
    encoder.write(np.zeros((*SIZE_HW, 3), np.uint8))
    encoder._program.stdin.close()
    assert encoder._program.wait() == 1
    encoder.cancel()
    with pytest.raises(VideoError):
        VideoReader(tmp_path / "out.mp4", LIMITS)


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


def test_written_frames_show_the_boxes(tmp_path, source):
    face = FaceResult(1, (0.25, 0.25, 0.5, 0.5), (0.0,) * 7, (0.0,) * 7, "happy", 0.9, True)
    video = AnnotatedVideo(tmp_path / "out.avi", Sound(source), 30.0, choose_form(".avi"))
    video.add(AnalysedFrame(VideoFrame(0, 0.0, np.zeros((*SIZE_HW, 3), np.uint8)), (face,)))
    video.finish()
    with VideoReader(tmp_path / "out.avi", LIMITS) as reader:
        drawn = next(iter(reader)).frame_bgr
    assert drawn[86:94, 200:400].max() > 150
    assert drawn[150:200, 200:300].max() < 40


def test_the_sound_of_a_list_of_files_is_not_fetched(tmp_path, source):
    """The frames were read from a video; FFmpeg guesses for itself what the source is."""
    listed = tmp_path / "listed"
    listed.write_text(f"ffconcat version 1.0\nfile {source.name}\n")
    write(tmp_path / "out.mp4", listed, [0, 0.1])
    assert codecs_of(tmp_path / "out.mp4") == ["h264"]

import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from fer_web.analysis.videos.decoder_process import DecoderProcess
from fer_web.analysis.videos.read_ahead import read_ahead
from fer_web.analysis.videos.video_part import VideoEnd, VideoHeader, VideoPart
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.errors import FileUnreadableError, NotAVideoError, VideoError, VideoTooLargeError
from tests.support.made_videos import encode, number_of, numbered_frames, with_sound, write_video

LIMITS = VideoLimits(max_pixels=100_000, max_hours=1.0)


class FakeDecoder:
    """Frames with given times, under a header that says what it likes."""

    def __init__(self, times_s, fps=25.0, frames=None, size_hw=(20, 30), end=None):
        self.times_s, self.place, self.size_hw = times_s, -1, size_hw
        count = len(times_s) if frames is None else frames
        self.header = VideoHeader(*size_hw, fps, count, None, 0.0)
        self.end = end or VideoEnd(0.0, 0, False)
        self.is_closed = False

    def next(self):
        self.place += 1
        if self.place == len(self.times_s):
            return None
        return np.zeros((*self.size_hw, 3), np.uint8), self.times_s[self.place]

    def close(self):
        self.is_closed = True


@pytest.fixture
def clip(tmp_path):
    """20 numbered frames of two seconds, in AVI."""
    return write_video(tmp_path / "clip.avi", numbered_frames(20))


def read_fake(clip, *args, limits=LIMITS, **kwargs):
    decoder = FakeDecoder(*args, **kwargs)
    with VideoReader(clip, limits, open_file=lambda *_: decoder) as reader:
        times = [frame.at_s for frame in reader]
    assert decoder.is_closed
    return reader, times


def test_frames_come_in_order_with_their_times(clip):
    with VideoReader(clip, LIMITS) as reader:
        frames = list(reader)
    assert [number_of(frame.frame_bgr) for frame in frames] == list(range(20))
    assert [frame.number for frame in frames] == list(range(20))
    assert [frame.at_s for frame in frames] == pytest.approx([number / 10 for number in range(20)])
    assert (reader.size_hw, reader.fps, reader.frames) == ((120, 160), 10, 20)
    assert (reader.is_complete, reader.remarks) == (True, [])


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_variable_rate_keeps_each_frame_s_own_time(tmp_path, suffix):
    uneven = tmp_path / f"uneven.{suffix}"
    wanted = [number * 0.04 if number < 10 else 0.4 + (number - 10) * 0.5 for number in range(20)]
    encode(uneven, numbered_frames(20), wanted, 25, time_base=Fraction(1, 1000))
    with VideoReader(uneven, LIMITS) as reader:
        found = [(number_of(frame.frame_bgr), frame.at_s) for frame in reader]
    assert [number for number, _ in found] == list(range(20))
    assert [at_s for _, at_s in found] == pytest.approx(wanted, abs=0.002)
    assert (reader.is_complete, reader.remarks) == (True, [])


def test_times_that_stand_still_or_fall_back_are_counted_on_with_a_remark(clip):
    reader, times = read_fake(clip, [0, 0.04, 0.04, 0.01, float("nan"), 0.24])
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.24])
    assert "3 of 6 frames have no time" in reader.remarks[0]


def test_a_first_time_below_zero_is_zero(clip):
    assert read_fake(clip, [-0.03, 0.04])[1] == pytest.approx([0, 0.04])


@pytest.mark.parametrize("fps", [0, 90_000, float("nan"), -5])
def test_a_rate_that_is_none_is_replaced(clip, fps):
    reader, times = read_fake(clip, [0, 0, 0], fps=fps)
    assert (reader.fps, times) == (30, pytest.approx([0, 1 / 30, 2 / 30]))


@pytest.mark.parametrize("frames", [0, -(2**62), 10**18])
def test_a_number_of_frames_that_is_none_is_unknown(clip, frames):
    reader, times = read_fake(clip, [0, 0.04], frames=frames)
    assert (reader.frames, len(times), reader.is_complete) == (None, 2, True)


def test_a_long_last_frame_is_no_damage(clip):
    assert read_fake(clip, [0, 0.04, 10], fps=0.3)[0].is_complete


def test_absurd_sizes_are_refused_before_a_frame_is_read(clip):
    decoder = FakeDecoder([0], size_hw=(400, 300))
    with pytest.raises(VideoTooLargeError, match="300x400 = 120000 pixels, 100000 are allowed"):
        VideoReader(clip, LIMITS, open_file=lambda *_: decoder)
    assert (decoder.place, decoder.is_closed) == (-1, True)


def test_frames_that_grow_past_the_limit_are_refused(clip):
    decoder = FakeDecoder([0, 0.04])
    with VideoReader(clip, LIMITS, open_file=lambda *_: decoder) as reader:
        decoder.size_hw = (400, 300)
        with pytest.raises(VideoTooLargeError, match="FER_MAX_VIDEO_PIXELS"):
            list(reader)


def test_ten_hours_are_refused_by_the_header_and_by_the_frames(clip):
    with pytest.raises(VideoTooLargeError, match=r"10\.00 hours or more, 1 are allowed.*--max-video-hours"):
        VideoReader(clip, LIMITS, open_file=lambda *_: FakeDecoder([0], frames=900_001))
    with pytest.raises(VideoTooLargeError, match="hours"):
        read_fake(clip, [0, 36_000], frames=2)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", VideoError, "empty"),
        (b"Dear diary, " * 50, NotAVideoError, "no video"),
        (b"#EXTM3U\nfile:///etc/passwd\n", NotAVideoError, "no video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", NotAVideoError, "no video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), NotAVideoError, "no video"),
        (b"RIFF\0\0\0\0WAVEfmt ", NotAVideoError, "no video"),
        (b"\x1a\x45\xdf\xa3" + bytes(500), VideoError, "WebM or MKV has no pictures"),
        (b"RIFF\0\0\0\0AVI " + bytes(500), VideoError, "AVI"),
        (b"\0\0\0\x18ftypisom" + bytes(500), VideoError, "no index"),
    ],
)
def test_files_that_are_no_video_are_told_apart(tmp_path, content, error, message):
    (tmp_path / "x.mp4").write_bytes(content)
    with pytest.raises(VideoError, match=message) as caught:
        VideoReader(tmp_path / "x.mp4", LIMITS)
    assert type(caught.value) is error


def test_folders_and_missing_files(tmp_path):
    with pytest.raises(FileUnreadableError, match="a folder"):
        VideoReader(tmp_path, LIMITS)
    with pytest.raises(FileUnreadableError, match="No such file"):
        VideoReader(tmp_path / "none.mp4", LIMITS)


def test_sound_only_says_that_there_is_no_picture(tmp_path):
    with av.open(str(tmp_path / "sound.mp4"), "w") as output:
        track = output.add_stream("aac", rate=48_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.float32), "fltp", "mono")
        silence.sample_rate = 48_000
        output.mux([*track.encode(silence), *track.encode(None)])
    with pytest.raises(VideoError, match="no video track"):
        VideoReader(tmp_path / "sound.mp4", LIMITS)


def test_without_its_index_an_mp4_says_so(tmp_path):
    data = with_sound(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(VideoError, match="no index"):
        VideoReader(tmp_path / "cut.mp4", LIMITS)


def test_a_header_without_a_frame_says_so(clip, tmp_path):
    data = bytearray(clip.read_bytes())
    begins, ends = data.index(b"movi") + 4, data.index(b"idx1")
    data[begins:ends] = bytes(ends - begins)
    (tmp_path / "none.avi").write_bytes(data)
    with pytest.raises(VideoError, match=r"no (frame|pictures) that can be decoded"):
        VideoReader(tmp_path / "none.avi", LIMITS)


def test_a_cut_video_is_read_as_far_as_it_goes(tmp_path):
    rng = np.random.default_rng(0)
    noisy = [rng.integers(0, 255, (120, 160, 3), np.uint8) for _ in range(60)]
    data = write_video(tmp_path / "whole.avi", noisy).read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) // 2])
    with VideoReader(tmp_path / "cut.avi", LIMITS) as reader:
        count = len(list(reader))
    assert 20 <= count <= 35
    assert not reader.is_complete
    assert f"ends after {count} of 60 frames" in reader.remarks[0]


def test_read_ahead_is_one_item_ahead_and_ends_its_thread():
    made, go_on = [], threading.Event()

    def items():
        for number in range(100):
            made.append(number)
            if number == 2:
                go_on.set()
            yield number

    ahead = read_ahead(items())
    assert next(ahead) == 0
    assert go_on.wait(60)
    ahead.close()
    assert len(made) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_read_ahead_hands_on_what_went_wrong():
    def items():
        yield 1
        raise VideoError("broken")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(VideoError, match="broken"):
        next(ahead)


def test_ffmpeg_itself_follows_no_list_of_files(tmp_path):
    """Whatever the first bytes were taken for."""
    write_video(tmp_path / "clip.avi", numbered_frames(5))
    listed = tmp_path / "source"
    listed.write_text("ffconcat version 1.0\nfile clip.avi\n")
    with pytest.raises(VideoError, match="no pictures that can be decoded"):
        DecoderProcess(listed, "AVI", 100_000, VideoPart())

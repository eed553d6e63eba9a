"""Videos as cameras, tapes, calls and editors make them: each is seen as it is shown."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from fer_web.analysis.videos.video_decoder import orientation, shown_size
from fer_web.analysis.videos.video_part import FLIPPED_X, FLIPPED_Y, TRANSPOSED, VideoPart
from fer_web.analysis.videos.video_reader import VideoLimits, VideoReader
from fer_web.commands.video_analysis import open_pipeline
from fer_web.inference.pipeline import StreamState
from fer_web.settings import Settings
from fer_web.vision.smoothing import ScoreSmoother
from fer_web.vision.tracking import FaceTracker
from tests.support.made_videos import encode, number_of, numbered_frames, still, write_video

LIMITS = VideoLimits(9_000_000, 1.0)
FPS = 25
SHORT = {"preset": "ultrafast", "crf": "12"}
QUIET = {"x265-params": "log-level=none"}
PAL_HW, NTSC_HW = (576, 720), (480, 720)


@pytest.fixture(scope="module")
def pipeline():
    return open_pipeline(Settings())[1]


def label_of(pipeline, frame_bgr):
    """The labels of one picture's faces."""
    state = StreamState(FaceTracker(search_interval_s=1.0, max_faces=8), ScoreSmoother(0.25))
    found = pipeline.analyse(frame_bgr, 0.0, state)
    return [face.label for face in found.faces]


def picture(size_hw=(480, 640)):
    return cv2.resize(still("neutral"), size_hw[::-1], interpolation=cv2.INTER_AREA)


def read(path, part=None):
    with VideoReader(path, LIMITS, part) as reader:
        frames = list(reader)
    return frames, reader


def assert_shown(pipeline, path, count, size_hw=(480, 640), fps=FPS):
    """It is read to its end, each frame at its time, with the shape and the face that were filmed."""
    frames, reader = read(path)
    assert [frame.at_s for frame in frames] == pytest.approx([n / fps for n in range(count)], abs=0.002)
    assert (reader.is_complete, reader.remarks, reader.size_hw) == (True, [], size_hw)
    seen = frames[count // 2].frame_bgr
    assert seen.shape == (*size_hw, 3)
    assert np.abs(seen.astype(int) - picture(size_hw)).mean() < 5
    assert label_of(pipeline, seen) == ["neutral"]


FORMS = {
    "h264.mp4": ("libx264", {"options": SHORT}),
    "h264_b_frames.mkv": ("libx264", {"options": {"preset": "veryfast", "bf": "3"}}),
    "h264_10_bit.mp4": ("libx264", {"pixels": "yuv420p10le", "options": SHORT}),
    "h264_422.mov": ("libx264", {"pixels": "yuv422p", "options": SHORT}),
    "h264_444.mp4": ("libx264", {"pixels": "yuv444p", "options": SHORT}),
    "hevc.mp4": ("libx265", {"options": SHORT | QUIET}),
    "hevc_10_bit.mkv": ("libx265", {"pixels": "yuv420p10le", "options": SHORT | QUIET}),
    "av1.mp4": ("libsvtav1", {"options": {"preset": "10", "crf": "20"}}),
    "av1.webm": ("libsvtav1", {"options": {"preset": "10", "crf": "20"}}),
    "vp8.webm": ("libvpx", {"options": {"deadline": "realtime", "cpu-used": "8", "crf": "8", "b": "4M"}}),
    "vp9.webm": ("libvpx-vp9", {"options": {"deadline": "realtime", "cpu-used": "8", "crf": "15"}}),
    "prores.mov": ("prores_ks", {"pixels": "yuv422p10le"}),
    "dnxhr.mov": ("dnxhd", {"pixels": "yuv422p", "options": {"profile": "dnxhr_sq"}}),
    "mpeg4.avi": ("mpeg4", {"options": {"qmin": "2", "qmax": "3"}}),
    "mpeg2.mpg": ("mpeg2video", {"options": {"qmin": "2", "qmax": "3"}}),
    "mpeg2.ts": ("mpeg2video", {"options": {"qmin": "2", "qmax": "3"}}),
    "mpeg2.mxf": ("mpeg2video", {"options": {"qmin": "2", "qmax": "3"}}),
    "wmv2.wmv": ("wmv2", {"options": {"qmin": "2", "qmax": "3"}}),
    "flv1.flv": ("flv", {"options": {"qmin": "2", "qmax": "3"}}),
    "ffv1.mkv": ("ffv1", {}),
    "mjpeg.avi": ("mjpeg", {}),
}


@pytest.mark.parametrize("name", FORMS)
def test_codecs_and_containers(pipeline, tmp_path, name):
    codec, how = FORMS[name]
    write_video(tmp_path / name, [picture()] * 6, FPS, codec, **how)
    assert_shown(pipeline, tmp_path / name, 6)


@pytest.mark.parametrize(
    ("name", "codec", "size_hw", "aspect", "shown_hw"),
    [
        ("pal_wide.mp4", "libx264", PAL_HW, "64/45", (576, 1024)),
        ("pal.mpg", "mpeg2video", PAL_HW, "16/15", (576, 768)),
        ("ntsc.mkv", "libx264", NTSC_HW, "8/9", (540, 720)),
        ("hdv.mp4", "libx264", (1080, 1440), "4/3", (1080, 1920)),
    ],
)
def test_pixels_that_are_not_square(pipeline, tmp_path, name, codec, size_hw, aspect, shown_hw):
    filmed = cv2.resize(picture(shown_hw), size_hw[::-1], interpolation=cv2.INTER_AREA)
    write_video(tmp_path / name, [filmed] * 3, FPS, codec, aspect=aspect)
    assert_shown(pipeline, tmp_path / name, 3, shown_hw)


@pytest.mark.parametrize("codec", ["dv", "avi", "mov"])
def test_dv_of_camcorders_is_deinterlaced_and_shown_in_its_shape(pipeline, tmp_path, codec):
    filmed = [fields(at, (576, 768), PAL_HW) for at in range(6)]
    path = write_video(tmp_path / f"tape.{codec}", filmed, FPS, "dvvideo", aspect="16/15")
    check_deinterlaced(pipeline, path, (576, 768), 6)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("avchd.ts", "libx264"), ("interlaced.mp4", "libx264"), ("dvd.vob", "mpeg2video")],
)
def test_interlaced_video_is_deinterlaced(pipeline, tmp_path, name, codec):
    options = {"preset": "ultrafast", "crf": "12", "x264-params": "tff=1"} if codec == "libx264" else None
    filmed = [fields(at, (480, 640), (480, 640)) for at in range(6)]
    path = encode(
        tmp_path / name, filmed, [n / FPS for n in range(6)], FPS, codec, options=options, is_interlaced=True
    )
    check_deinterlaced(pipeline, path, (480, 640), 6)


def fields(at, shown_hw, size_hw, step_px=12):
    """Two moments in one frame: every other line is one field later."""
    wide = cv2.copyMakeBorder(picture(shown_hw), 0, 0, 200, 200, cv2.BORDER_REPLICATE)
    moments = []
    for field in (2 * at, 2 * at + 1):
        left = 200 - (field - 6) * step_px
        moments.append(cv2.resize(wide[:, left : left + shown_hw[1]], size_hw[::-1]))
    moments[0][1::2] = moments[1][1::2]
    return moments[0]


def combing(frame_bgr):
    """How much more neighbouring lines differ than lines of one field."""
    grey = cv2.cvtColor(frame_bgr, cv2.COLOR_BGR2GRAY).astype(int)
    return np.abs(np.diff(grey, axis=0)).mean() / np.abs(grey[2:] - grey[:-2]).mean()


def check_deinterlaced(pipeline, path, size_hw, count):
    frames, reader = read(path)
    assert (len(frames), reader.is_complete, reader.remarks) == (count, True, [])
    assert [frame.at_s for frame in frames] == pytest.approx([n / FPS for n in range(count)], abs=0.002)
    for frame in frames:
        assert frame.frame_bgr.shape == (*size_hw, 3)
        assert combing(frame.frame_bgr) < 1.0 < 1.5 < combing(fields(frame.number, size_hw, size_hw))
    assert label_of(pipeline, frames[3].frame_bgr) == ["neutral"]


ONE = 1 << 16


def matrix(a, b, c, d):
    return (a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize(
    ("numbers", "filmed_of"),
    [
        ((1, 0, 0, 1), lambda p: p),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((-1, 0, 0, -1), lambda p: p[::-1, ::-1]),
        ((0, 1, -1, 0), lambda p: np.rot90(p, 1)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, -1)),
        ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda p: p[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_turned_and_mirrored_video_is_seen_as_it_is_shown(pipeline, tmp_path, numbers, filmed_of):
    """ISO 14496-12 maps (x, y) of the file to (ax + cy, bx + dy) of the screen."""
    filmed = np.ascontiguousarray(filmed_of(picture()))
    path = write_video(tmp_path / "turned.mp4", [filmed] * 3, FPS, "libx264", matrix=matrix(*numbers))
    assert_shown(pipeline, path, 3)


def test_a_turned_video_whose_pixels_are_not_square(pipeline, tmp_path):
    """Pixels are stretched first, then the picture is turned."""
    filmed = cv2.resize(np.ascontiguousarray(np.rot90(picture(), 1)), (240, 640))
    path = write_video(
        tmp_path / "both.mp4", [filmed] * 3, FPS, "libx264", aspect="2/1", matrix=matrix(0, 1, -1, 0)
    )
    assert_shown(pipeline, path, 3)


def test_orientation_is_the_nearest_quarter_turn():
    cosine, sine = round(0.94 * ONE), round(0.34 * ONE)  # 20 degrees
    leaning = np.array([cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30], np.int32)
    assert orientation(leaning.tobytes()) == 0
    leaning = np.array([sine, cosine, 0, -cosine, sine, 0, 0, 0, 1 << 30], np.int32)
    assert orientation(leaning.tobytes()) == TRANSPOSED | FLIPPED_X
    assert orientation(bytes(36)) == 0
    assert orientation(np.array(matrix(-1, 0, 0, -1), np.int32).tobytes()) == FLIPPED_X | FLIPPED_Y


@pytest.mark.parametrize("aspect", [None, Fraction(1), Fraction(1, 100), Fraction(300), Fraction(135, 136)])
def test_shapes_that_are_nonsense_or_nearly_square_are_square(aspect):
    assert shown_size(576, 720, aspect) == (576, 720)


@pytest.mark.parametrize("suffix", ["mkv", "webm", "ts", "mp4", "avi"])
def test_a_first_time_of_100_seconds_is_the_start(pipeline, tmp_path, suffix):
    codec = "libvpx-vp9" if suffix == "webm" else "libx264"
    options = {"deadline": "realtime", "cpu-used": "8", "crf": "10"} if suffix == "webm" else None
    times = [100 + n / FPS for n in range(6)]
    path = encode(tmp_path / f"offset.{suffix}", [picture()] * 6, times, FPS, codec, options=options)
    if suffix == "avi":  # it has no times, and holds its frames back instead
        assert len(read(path)[0]) == 6
    else:
        assert_shown(pipeline, path, 6)


def test_frames_before_an_edit_list_s_start_are_not_shown(tmp_path):
    """An editor cut 10 of 20 frames away; the decoder needs them, and the viewer never sees them."""
    path = write_video(tmp_path / "whole.mp4", numbered_frames(20), 10, "libx264")
    data = bytearray(path.read_bytes())
    place = data.index(b"elst")
    assert data[place + 8 : place + 12] == b"\0\0\0\1"
    media = place + 16
    with av.open(str(path)) as file:
        units = int(1 / file.streams.video[0].time_base)
    start = int.from_bytes(data[media : media + 4]) + units  # a second
    data[media : media + 4] = start.to_bytes(4)
    length = int.from_bytes(data[place + 12 : place + 16])
    data[place + 12 : place + 16] = (length // 2).to_bytes(4)
    (tmp_path / "cut.mp4").write_bytes(data)
    frames, reader = read(tmp_path / "cut.mp4")
    assert [number_of(frame.frame_bgr) for frame in frames] == list(range(10, 20))
    assert [frame.at_s for frame in frames] == pytest.approx([n / 10 for n in range(10)])
    assert (reader.is_complete, reader.remarks) == (True, [])


NOISE = np.random.default_rng(0).integers(0, 255, (40, 120, 160, 3), np.uint8)
LIVE = {"mkv": {"live": "1"}, "webm": {"live": "1"}, "mp4": {"movflags": "frag_keyframe+empty_moov"}}


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mkv", "libx264"), ("webm", "libvpx"), ("mp4", "libx264"), ("ts", "libx264"), ("mpg", "mpeg2video"),
        ("flv", "libx264"), ("avi", "mjpeg"), ("wmv", "wmv2"), ("dv", "dvvideo"), ("mxf", "mpeg2video"),
    ],
)  # fmt: skip
def test_a_cut_file_says_so_also_where_no_length_is_told(tmp_path, suffix, codec):
    frames = NOISE if suffix != "dv" else [np.zeros((*PAL_HW, 3), np.uint8)] * 8
    path = tmp_path / f"whole.{suffix}"
    options = {"deadline": "realtime", "cpu-used": "8", "b": "8M"} if codec == "libvpx" else None
    if codec == "libx264":
        options = {"preset": "ultrafast", "crf": "12", "g": "10"}
    write_video(path, list(frames), FPS, codec, container=LIVE.get(suffix), options=options)
    whole, reader = read(path)
    assert (len(whole), reader.is_complete, reader.remarks) == (len(frames), True, [])
    data = path.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(data[: int(len(data) * 0.62) | 1])
    found, reader = read(cut)
    assert 0 < len(found) < len(frames)
    assert not reader.is_complete
    assert "damaged or cut short" in reader.remarks[-1]
    assert f"{len(found)} " in reader.remarks[-1]


def test_sound_that_goes_on_after_the_pictures_is_no_damage(tmp_path):
    path = write_video(tmp_path / "a.mkv", list(NOISE[:20]), 10, "libx264", sound="aac", sound_s=12.0)
    frames, reader = read(path)
    assert (len(frames), reader.is_complete, reader.remarks) == (20, True, [])


def test_a_cover_picture_is_no_video(tmp_path):
    with pytest.raises(Exception, match="no video track"):
        read(with_cover(tmp_path / "song.mp4"))


def with_cover(path):
    """A song with a picture, as music players make it."""
    with av.open(str(path), "w") as output:
        track = output.add_stream("aac", rate=48_000, layout="mono")
        cover = output.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 120, 160, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.float32), "fltp", "mono")
        silence.sample_rate = 48_000
        packets = cover.encode(av.VideoFrame.from_ndarray(NOISE[0], "bgr24"))
        output.mux([*packets, *cover.encode(None), *track.encode(silence), *track.encode(None)])
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("start_s", [0.0, 2.0, 11.0])
def test_a_part_has_its_frames_at_the_video_s_own_times(tmp_path, suffix, start_s):
    frames = [np.full((64, 64, 3), 12 * (n % 20), np.uint8) for n in range(160)]
    path = write_video(tmp_path / f"long.{suffix}", frames, 10, "libx264", options=SHORT | {"g": "30"})
    found, reader = read(path, VideoPart(start_s, start_s + 3.0, 2))
    wanted = [start_s + n / 5 for n in range(16)]
    assert [frame.at_s for frame in found] == pytest.approx(wanted, abs=0.002)
    assert [number_of(frame.frame_bgr) for frame in found] == [round(10 * at_s) % 20 for at_s in wanted]
    assert (reader.is_complete, reader.remarks, reader.frames) == (True, [], 15)


def test_a_part_that_is_not_there_says_how_long_the_video_is(tmp_path):
    path = write_video(tmp_path / "short.mp4", list(NOISE[:20]), 10, "libx264")
    with pytest.raises(Exception, match=r"no frame from 60 s to its end\. It lasts 2\.0 s"):
        read(path, VideoPart(start_s=60.0))

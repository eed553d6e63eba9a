"""Videos with known contents, written where a test needs them, by PyAV."""

from fractions import Fraction

import av
import numpy as np

from tests.support.faces import camera_frame_bgr, grace_hopper_bgr

DETAILED = {"libx264": {"preset": "ultrafast", "crf": "12"}, "mjpeg": {"qmin": "2", "qmax": "2"}}
TONE_HZ, SAMPLE_RATE = 440, 48_000


def write_video(path, frames, fps=10, codec="mjpeg", **how):
    """Frames, all of one size, at a constant rate; see `encode`."""
    frames = list(frames)
    return encode(path, frames, [number / fps for number in range(len(frames))], fps, codec, **how)


def encode(
    path, frames, times, fps, codec="libx264", *, pixels=None, aspect=None, matrix=None, is_interlaced=False,
    sound=None, sound_from_s=0.0, sound_s=2.0, options=None, container=None, time_base=None, rotation=None,
):  # fmt: skip
    """A video file of frames (BGR) at `times` in seconds, in a codec of FFmpeg's.

    Args: aspect: of a pixel. matrix, rotation: how it is displayed. sound: a codec; a tone of `sound_s`.
    """
    with av.open(str(path), "w", container_options=container or {}) as output:
        stream = output.add_stream(
            codec, rate=Fraction(fps).limit_denominator(1001), options=options or DETAILED.get(codec, {})
        )
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels or ("yuvj420p" if codec == "mjpeg" else "yuv420p")
        if aspect:
            stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        if is_interlaced:
            stream.codec_context.flags |= 1 << 29 | 1 << 18  # motion and transform by field
        if matrix:
            stream.set_display_matrix(matrix)
        if rotation:
            stream.set_display_rotation(rotation)
        if time_base:
            stream.codec_context.time_base = time_base
        track = output.add_stream(sound, rate=SAMPLE_RATE, layout="mono") if sound else None
        base = time_base or 1 / stream.codec_context.framerate
        for at_s, picture in zip(times, frames, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "bgr24")
            frame.pts, frame.time_base = round(at_s / base), base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if track:
            _write_tone(output, track, sound_from_s, sound_s)
    return path


def _write_tone(output, track, from_s, length_s):
    resampler = av.AudioResampler(track.format, track.layout, SAMPLE_RATE)
    wave = np.sin(2 * np.pi * TONE_HZ * np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray((8000 * wave).astype(np.int16)[None], "s16", "mono")
    frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
    frame.pts = round(from_s * SAMPLE_RATE)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        output.mux(track.encode(piece))
    output.mux(track.encode(None))


def tone_of(path):
    """The samples of a file's sound, mono, -1 to 1, and the time of the first one in seconds."""
    with av.open(str(path)) as file:
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]), frames[0].time


def codecs_of(path):
    """The codecs of a file's streams, pictures first."""
    with av.open(str(path)) as file:
        streams = [*file.streams.video, *file.streams.audio]
        return [stream.codec_context.codec.canonical_name for stream in streams]


def numbered_frames(count, size_hw=(120, 160)):
    """Up to 20 frames whose grey says their number: 12 times it."""
    return [np.full((*size_hw, 3), 12 * number, np.uint8) for number in range(count)]


def number_of(frame_bgr):
    """The number of a frame of `numbered_frames`, after lossy coding."""
    return round(float(frame_bgr.mean()) / 12)


def with_sound(target, count=20):
    """Numbered frames of two seconds as H.264, with a tone as long."""
    return write_video(target, numbered_frames(count), 10, "libx264", sound="aac")


FPS = 10


CHANGES = ((0.0, "happy"), (4.0, "neutral"), (7.5, None), (10.2, "happy"))


LENGTH_S = 12.0


def still(label):
    """A picture of somebody who looks like this; of nobody for None."""
    if label == "happy":
        return camera_frame_bgr()
    picture = np.full((480, 640, 3), 90, np.uint8)
    if label == "neutral":
        picture[:, 120:520] = grace_hopper_bgr()[0:480, 56:456]
    return picture


def label_at(at_s):
    return [label for start_s, label in CHANGES if start_s <= at_s + 1e-6][-1]

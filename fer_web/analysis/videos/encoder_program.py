"""The encoder's process: frames on standard input -> a video file, with the sound of another.

`F` and a frame's bytes, BGR, come for each frame, and `E` at the end; without that the file is not complete,
and the process fails. What went wrong stands on standard error.
"""

import json
import os
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import IO, Any, Final

from fer_web.analysis.videos.child_program import keep_within
from fer_web.analysis.videos.video_kinds import FFMPEG_FORMATS

_SOUND_LEAD_S: Final = 0.5
"""Sound is written so far ahead of the pictures: players want both close together."""


def main() -> None:
    """Encode what the order says; the exit status is 1 where it fails."""
    order = json.loads(sys.argv[3])
    keep_within(order["memory_bytes"])
    try:
        _encode(order, os.fdopen(0, "rb", buffering=0))
    except (ImportError, OSError, ValueError, MemoryError) as exc:
        print(getattr(exc, "strerror", None) or exc, file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)  # FFmpeg would try to end the file


def _encode(order: dict[str, Any], frames: IO[bytes]) -> None:
    # Imported here: this takes memory and time, and may fail.
    import av

    options = {"movflags": "+faststart"} if order["draft"].endswith((".mp4", ".mov")) else {}
    with av.open(f"file:{order['draft']}", "w", container_options=options) as output:
        pictures = _Pictures(output, order)
        sound = _Sound(output, order)
        for number, data in enumerate(_frames(frames, order["height"] * order["width"] * 3)):
            sound.write_until((number + 1) / order["fps"] + _SOUND_LEAD_S)
            pictures.write(number, data)
        pictures.finish()
        sound.finish()


def _frames(pipe: IO[bytes], size: int) -> Iterator[bytearray]:
    while True:
        mark = pipe.read(1)
        if mark == b"E":
            return
        data = bytearray(size)
        left = memoryview(data)
        while left:
            got = pipe.readinto(left) if mark else 0  # type: ignore[attr-defined]
            if not got:
                raise ValueError("its frames ended early")
            left = left[got:]
        yield data


class _Pictures:
    def __init__(self, output: Any, order: dict[str, Any]) -> None:
        from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

        rate = Fraction(order["fps"]).limit_denominator(1_000_000)
        self._output, self._size = output, (order["height"], order["width"])
        self._stream = output.add_stream(order["codec"], rate=rate, options=order["options"])
        self._stream.height, self._stream.width = self._size
        self._stream.pix_fmt = order["pixels"]
        if order["bit_rate"] is not None:
            self._stream.codec_context.bit_rate = order["bit_rate"]
        self._time_base = 1 / rate
        self._reformatter = VideoReformatter()
        is_full = order["pixels"] == "yuvj420p"  # JPEG's own colours
        self._colours = {
            "format": order["pixels"],
            "dst_colorspace": Colorspace.ITU601 if is_full else Colorspace.ITU709,
            "dst_color_range": ColorRange.JPEG if is_full else ColorRange.MPEG,
        }
        if not is_full:
            context = self._stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
            context.color_range = ColorRange.MPEG

    def write(self, number: int, data: bytearray) -> None:
        import av
        import numpy as np

        picture = np.frombuffer(data, np.uint8).reshape(*self._size, 3)
        frame = self._reformatter.reformat(av.VideoFrame.from_numpy_buffer(picture, "bgr24"), **self._colours)
        frame.pts, frame.time_base = number, self._time_base
        self._output.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self._output.mux(self._stream.encode(None))


class _Sound:
    """The source's sound, copied where the file may hold it so, else encoded again."""

    def __init__(self, output: Any, order: dict[str, Any]) -> None:
        self._output = output
        self._from_s, self._until_s = order["sound_from_s"], order["sound_until_s"]
        self._tracks: dict[int, _Copied | _Encoded] = {}
        self._waiting: Any = None
        self._packets = self._open(order) if order["source"] else iter(())

    def write_until(self, at_s: float) -> None:
        """Write what sounds before this time of the written video."""
        while (packet := self._waiting or next(self._packets, None)) is not None:
            self._waiting = packet
            starts_s = float(packet.pts * packet.time_base) - self._from_s
            if starts_s >= at_s:
                return
            self._waiting = None
            if starts_s >= -0.001 and (self._until_s is None or starts_s < self._until_s):
                self._tracks[packet.stream.index].write(packet)

    def finish(self) -> None:
        """Write the rest."""
        self.write_until(float("inf"))
        for track in self._tracks.values():
            track.finish()

    def _open(self, order: dict[str, Any]) -> Iterator[Any]:
        import av

        # The source may come from anybody: it may name no other file or address.
        options = {"format_whitelist": FFMPEG_FORMATS, "protocol_whitelist": "file"}
        try:
            source = av.open(f"file:{order['source']}", container_options=options, metadata_errors="replace")
        except (av.FFmpegError, ValueError):
            return iter(())
        for stream in source.streams.audio:
            if stream.codec_context is None or not stream.codec_context.sample_rate:
                continue
            is_copied = stream.codec_context.codec.canonical_name in order["copied_sound"]
            build = _Copied if is_copied else _Encoded
            self._tracks[stream.index] = build(self._output, stream, order["sound_codec"], self._from_s)
        return self._read(source)

    def _read(self, source: Any) -> Iterator[Any]:
        import av

        if self._from_s > 5:
            source.seek(int(max(0.0, self._from_s - 5) * av.time_base))
        try:
            for packet in source.demux():
                if packet.pts is not None and packet.stream.index in self._tracks:
                    yield packet
        except av.FFmpegError:
            return  # as far as it goes


class _Copied:
    def __init__(self, output: Any, stream: Any, _codec: str, from_s: float) -> None:
        self._output, self._from_s = output, from_s
        self._target = output.add_stream_from_template(stream)

    def write(self, packet: Any) -> None:
        shift = round(self._from_s / packet.time_base)
        packet.pts = max(0, packet.pts - shift)
        packet.dts = packet.pts
        packet.stream = self._target
        self._output.mux(packet)

    def finish(self) -> None:
        pass


class _Encoded:
    def __init__(self, output: Any, stream: Any, codec: str, from_s: float) -> None:
        import av

        self._output, self._from_s = output, from_s
        rate = 48_000 if codec == "libopus" else min(48_000, stream.codec_context.sample_rate)
        layout = "stereo" if stream.codec_context.channels > 1 else "mono"
        self._target = output.add_stream(codec, rate=rate, layout=layout)
        self._resampler = av.AudioResampler(self._target.format, layout, rate)

    def write(self, packet: Any) -> None:
        import av

        try:
            frames = packet.decode()
        except av.FFmpegError:
            return  # a damaged part
        for frame in frames:
            if frame.pts is not None:
                frame.pts = max(0, frame.pts - round(self._from_s / frame.time_base))
            for piece in self._resampler.resample(frame):
                self._output.mux(self._target.encode(piece))

    def finish(self) -> None:
        for piece in self._resampler.resample(None):
            self._output.mux(self._target.encode(piece))
        self._output.mux(self._target.encode(None))

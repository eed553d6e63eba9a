"""A video file -> its frames as they are shown, by PyAV (FFmpeg's libraries).

The decoder's process runs this. It imports neither NumPy nor OpenCV: the process starts in half the time.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Literal

import av
from av.filter import Graph
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from fer_web.analysis.videos.video_kinds import FFMPEG_FORMATS
from fer_web.analysis.videos.video_part import (
    FLIPPED_X,
    FLIPPED_Y,
    TRANSPOSED,
    VideoEnd,
    VideoHeader,
    VideoPart,
)

MAX_STRETCH: Final = 8.0
"""A pixel that is longer than this is a mistake in a header, and taken as square."""

_SEEK_FROM_S: Final = 5.0
_SEEK_BACK_S: Final = (2.0, 15.0)
"""How long before its place a part is looked for: some formats lead to a later frame than was asked for."""

Trouble = Literal["refused", "no pictures", "codec", "pixels", "no frame", "memory"]


class DecoderError(Exception):
    """A video cannot be decoded, for a reason that the program which asked turns into words.

    Attributes: facts: what the reason is about, by name.
    """

    def __init__(self, reason: Trouble, **facts: Any) -> None:
        super().__init__(reason)
        self.reason, self.facts = reason, facts


@dataclass(frozen=True)
class Picture:
    """A decoded frame: seconds from the first one (None: it has none), BGR plane, orientation bits."""

    at_s: float | None
    height: int
    width: int
    orientation: int
    plane: Any


class VideoDecoder:
    """Decodes one file once. `frames` first, then `end` is known."""

    def __init__(self, path: str, max_pixels: int, threads: int, part: VideoPart) -> None:
        """Open the file and decode its first frame. Raises DecoderError."""
        self._path, self._max_pixels, self._threads, self._part = path, max_pixels, threads, part
        self._reformatter = VideoReformatter()
        self._undecodable, self._is_broken_off, self._last_packet_s = 0, False, 0.0
        self._open()
        first = next(self._decoded, None)
        if first is None:
            raise DecoderError("no frame")
        self._origin_s = _time_of(first) or 0.0
        self._first: Any = first
        self.header = self._read_header(first)
        if part.start_s > _SEEK_FROM_S:
            self._go_to(self._origin_s + part.start_s)

    def frames(self) -> Iterator[Picture]:
        """The frames of the part in the order of their times. Raises DecoderError."""
        part, index = self._part, 0
        for frame in self._with_first():
            said_s = _time_of(frame)
            at_s = None if said_s is None else said_s - self._origin_s
            if at_s is not None and at_s < part.start_s - 1e-6:
                continue
            if part.end_s is not None and at_s is not None and at_s > part.end_s + 1e-6:
                self._last_packet_s = float("inf")
                return
            if index % part.every == 0:
                yield self._shown(frame, at_s)
            index += 1

    @property
    def end(self) -> VideoEnd:
        """How it ended."""
        return VideoEnd(self._last_packet_s - self._origin_s, self._undecodable, self._is_broken_off)

    def _open(self) -> None:
        options = {"format_whitelist": FFMPEG_FORMATS, "protocol_whitelist": "file"}
        try:
            self._container = av.open(
                f"file:{self._path}", container_options=options, metadata_errors="replace"
            )
        except (av.FFmpegError, ValueError) as exc:
            raise DecoderError("refused") from exc
        stream: Any = self._container.streams.best("video")
        if stream is None or stream.disposition & type(stream.disposition).attached_pic:
            raise DecoderError("no pictures")
        if stream.codec_context is None:
            raise DecoderError("codec", codec=stream.codec_tag)
        self._stream = stream
        self._check_pixels(stream.codec_context.width, stream.codec_context.height)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads
        self._deinterlacer = _Deinterlacer(stream)
        self._decoded = self._decode()

    def _go_to(self, time_s: float) -> None:
        """Begin near a time of the file, never after it."""
        for back_s in _SEEK_BACK_S:
            try:
                self._container.seek(int((time_s - back_s) / self._stream.time_base), stream=self._stream)
            except av.FFmpegError:
                break
            self._deinterlacer = _Deinterlacer(self._stream)
            self._decoded = self._decode()
            first = next(self._decoded, None)
            found_s = None if first is None else _time_of(first)
            if first is not None and found_s is not None and found_s <= time_s:
                self._first = first
                return
        self._container.close()
        self._open()
        self._first = next(self._decoded, None)

    def _with_first(self) -> Iterator[Any]:
        first, self._first = self._first, None
        if first is not None:
            yield first
        yield from self._decoded

    def _decode(self) -> Iterator[Any]:
        for packet in self._packets():
            yield from self._deinterlacer.frames(self._frames_of(packet))
        yield from self._deinterlacer.rest()

    def _packets(self) -> Iterator[Any]:
        """Packets of the pictures; the last one, empty, makes the decoder give out what it holds back."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as exc:
                _check_memory(exc)
                self._is_broken_off = True
                packet = av.Packet()
                packet.stream = self._stream
                yield packet
                return
            if packet is None:
                return
            at = packet.pts if packet.pts is not None else packet.dts
            if at is not None and packet.time_base:
                self._last_packet_s = max(
                    self._last_packet_s, float((at + (packet.duration or 0)) * packet.time_base)
                )
            if packet.stream.index == self._stream.index:
                yield packet

    def _frames_of(self, packet: Any) -> list[Any]:
        try:
            return list(packet.decode())
        except EOFError:
            return []
        except av.FFmpegError as exc:
            _check_memory(exc)
            self._undecodable += 1
            return []

    def _read_header(self, first: Any) -> VideoHeader:
        stream, container = self._stream, self._container
        picture = self._size_of(first)
        if _orientation_of(first) & TRANSPOSED:
            picture = picture[::-1]
        rate = stream.guessed_rate or stream.average_rate
        fps = float(rate) if rate else 0.0
        length_s = _length_of(stream, container)
        if length_s is not None and "matroska" in container.format.name and length_s > self._origin_s > 0:
            # Matroska tells the time of its end, and not how long it lasts.
            length_s -= self._origin_s
        frames = stream.frames or (round(length_s * fps) if length_s and fps else None)
        return VideoHeader(*picture, fps, frames, length_s, self._origin_s)

    def _size_of(self, frame: Any) -> tuple[int, int]:
        aspect = self._stream.sample_aspect_ratio or self._stream.codec_context.sample_aspect_ratio
        height, width = shown_size(frame.height, frame.width, aspect)
        self._check_pixels(width, height)
        return height, width

    def _shown(self, frame: Any, at_s: float | None) -> Picture:
        height, width = self._size_of(frame)
        options: dict[str, Any] = {"format": "bgr24", "threads": 1, "interpolation": Interpolation.BICUBIC}
        size: dict[str, Any] = {"width": width, "height": height}
        try:
            picture = self._reformatter.reformat(frame, **size, **options)
        except av.FFmpegError as exc:
            _check_memory(exc)
            # A colour space that swscale does not know: hardly any but BT.709 is seen on screens.
            space: dict[str, Any] = {"src_colorspace": Colorspace.ITU709, "dst_colorspace": Colorspace.ITU709}
            picture = self._reformatter.reformat(frame, **size, **options, **space)
        return Picture(at_s, height, width, _orientation_of(frame), picture.planes[0])

    def _check_pixels(self, width: int, height: int) -> None:
        if width * height > self._max_pixels:
            raise DecoderError("pixels", width=width, height=height)


class _Deinterlacer:
    """Frames as they are until one is interlaced; then all go through bwdif, which leaves others alone."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._graph: Any = None
        self._form: Any = None

    def frames(self, frames: list[Any]) -> Iterator[Any]:
        for frame in frames:
            if self._graph is None and not frame.interlaced_frame:
                yield frame
                continue
            form = frame.width, frame.height, frame.format.name
            if self._graph is None or form != self._form:
                yield from self.rest()
                self._build(frame, form)
            self._graph.vpush(frame)
            yield from self._pulled()

    def rest(self) -> Iterator[Any]:
        """What it holds back: a field is made of the frames before and after."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._pulled()
            self._graph = None

    def _build(self, frame: Any, form: tuple[int, int, str]) -> None:
        graph = Graph()
        source = graph.add_buffer(
            template=self._stream,
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=self._stream.time_base,
        )
        graph.link_nodes(
            source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
        ).configure()
        self._graph, self._form = graph, form

    def _pulled(self) -> Iterator[Any]:
        while True:
            try:
                yield self._graph.vpull()
            except (BlockingIOError, EOFError):
                return


def shown_size(height: int, width: int, aspect: Fraction | None) -> tuple[int, int]:
    """Height and width as they are shown: one side grows, as browsers do it (HTML, "intrinsic width").

    Args: aspect: width of a pixel by its height; None or nonsense: square.
    """
    ratio = float(aspect) if aspect else 1.0
    if not 1 / MAX_STRETCH <= ratio <= MAX_STRETCH or abs(ratio - 1) < 0.01:
        return height, width
    return (height, round(width * ratio)) if ratio > 1 else (round(height / ratio), width)


def orientation(matrix: bytes) -> int:
    """Orientation bits of a display matrix (ISO 14496-12: nine 32-bit numbers), to a quarter turn."""
    numbers: tuple[int, ...] = struct.unpack("=9i", matrix[:36])
    a, b, _, c, d = numbers[:5]
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return FLIPPED_X * (a < 0) | FLIPPED_Y * (d < 0)
    return TRANSPOSED | FLIPPED_X * (c < 0) | FLIPPED_Y * (b < 0)


def _orientation_of(frame: Any) -> int:
    matrix = frame.side_data.get(SideDataType.DISPLAYMATRIX)
    return orientation(bytes(matrix)) if matrix is not None and len(bytes(matrix)) >= 36 else 0


def _time_of(frame: Any) -> float | None:
    at = frame.pts if frame.pts is not None else frame.dts
    return None if at is None or not frame.time_base else float(at * frame.time_base)


def _length_of(stream: Any, container: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def _check_memory(exc: Exception) -> None:
    if isinstance(exc, MemoryError) or getattr(exc, "errno", None) == 12:
        raise DecoderError("memory") from exc

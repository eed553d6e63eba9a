"""A video file -> its frames, upright, each with its own time."""

import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from fer_web.analysis.videos.decoder_process import DecoderProcess, too_many_pixels
from fer_web.analysis.videos.video_ends import is_cut
from fer_web.analysis.videos.video_kinds import HEAD_BYTES, kind_of
from fer_web.analysis.videos.video_part import VideoEnd, VideoHeader, VideoPart
from fer_web.errors import FileUnreadableError, VideoError, VideoTooLargeError
from fer_web.settings import Settings
from fer_web.vision.types import Frame

DEFAULT_FPS: Final = 30.0
MAX_FPS: Final = 240.0
"""A higher rate in a header is a unit of time and no rate."""

MIN_STEP_S: Final = 1e-4
"""Two frames of a video are further apart: times are stored in milliseconds, or finer."""

_COMPLETE_SHARE: Final = 0.98
"""Headers count the frames roughly."""


@dataclass(frozen=True)
class VideoLimits:
    """Largest video that is analysed."""

    max_pixels: int
    max_hours: float

    @staticmethod
    def from_settings(settings: Settings) -> "VideoLimits":
        """The limits that the settings say."""
        return VideoLimits(settings.max_video_pixels, settings.max_video_hours)


@dataclass(frozen=True)
class VideoFrame:
    """One frame: its number from 0, seconds since the video's start, uint8 (H, W, 3) as it is seen."""

    number: int
    at_s: float
    frame_bgr: Frame


class Decoder(Protocol):
    """A decoder gives the frames of one video: see DecoderProcess."""

    header: VideoHeader
    end: VideoEnd | None

    def next(self) -> tuple[Frame, float] | None: ...
    def close(self) -> None: ...


class OpenDecoder(Protocol):
    """What opens a file: path, kind, largest frame in pixels, part."""

    def __call__(self, path: Path, kind: str, max_pixels: int, part: VideoPart, /) -> Decoder: ...


class VideoReader:
    """Reads a video once, frame by frame; a process of its own decodes it, and is two frames ahead at most.

    Attributes:
        size_hw: of the frames as they are seen, in pixels, by the header.
        fps: nominal frames a second.
        frames: how many there are to read by the header, None where it does not say; often wrong.
        length_s: of the whole video by the header, None likewise.
        origin_s: the file's own time of its first frame.
        is_complete: False after reading where the video ended before its header says.
        remarks: what whoever reads the results should know, one sentence each; complete after reading.
    """

    def __init__(
        self,
        path: Path,
        limits: VideoLimits,
        part: VideoPart | None = None,
        open_file: OpenDecoder = DecoderProcess,
    ) -> None:
        """Open a file and check its header.

        Args: part: what is read of it; None: all.
        Raises:
            FileUnreadableError: there is no such file, it is a folder, or it cannot be opened.
            NotAVideoError, VideoTooLargeError, VideoError; SetupError: the decoder is not installed.
        """
        self.part = part or VideoPart()
        self._path, self._limits = path, limits
        self._kind = _checked_kind(path)
        self._decoder = open_file(path, self._kind, limits.max_pixels, self.part)
        try:
            self._read_header(self._decoder.header)
        except BaseException:
            self.close()
            raise
        self.is_complete = True
        self.remarks: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go; a thread that reads gets no further frame."""
        self._decoder.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        """The frames in the order of their times.

        Raises: VideoError: there is none. VideoTooLargeError: longer or larger than its header says.
        """
        number, at_s, guessed = 0, -math.inf, 0
        while (found := self._decoder.next()) is not None:
            frame_bgr, said_s = found
            self._check_pixels(*frame_bgr.shape[:2])
            is_usable = math.isfinite(said_s) and said_s >= max(0.0, at_s + MIN_STEP_S)
            guessed += not is_usable
            at_s = said_s if is_usable else max(0.0, at_s + self.part.every / self.fps)
            self._check_length(at_s - self.part.start_s)
            yield VideoFrame(number, at_s, frame_bgr)
            number += 1
        self._conclude(number, at_s, guessed)

    def _read_header(self, header: VideoHeader) -> None:
        self.size_hw = header.height, header.width
        self._check_pixels(*self.size_hw)
        self.origin_s = header.origin_s
        self.fps = header.fps if 0 < header.fps <= MAX_FPS else DEFAULT_FPS
        self.length_s = header.length_s
        self._all_frames = header.frames if header.frames and 0 < header.frames < 1e9 else None
        self.frames = self._all_frames and self._frames_of_part(self._all_frames)
        if self.frames:
            self._check_length((self.frames - 1) * self.part.every / self.fps)

    def _frames_of_part(self, frames: int) -> int | None:
        part = self.part
        length_s = frames / self.fps
        wanted_s = min(length_s, length_s if part.end_s is None else part.end_s) - part.start_s
        return max(1, math.ceil(wanted_s * self.fps / part.every)) if wanted_s > 0 else None

    def _check_pixels(self, height: int, width: int) -> None:
        if height * width > self._limits.max_pixels:
            raise too_many_pixels(height, width, self._limits.max_pixels)

    def _check_length(self, at_s: float) -> None:
        if at_s > self._limits.max_hours * 3600:
            raise VideoTooLargeError(
                f"The video lasts {at_s / 3600:.2f} hours or more, {self._limits.max_hours:g} are allowed. "
                "Cut it, or raise --max-video-hours (FER_MAX_VIDEO_HOURS)."
            )

    def _conclude(self, count: int, last_s: float, guessed: int) -> None:
        end = self._decoder.end
        if end is None:
            return  # closed before its end
        if not count:
            raise VideoError(self._nothing())
        if guessed:
            self.remarks.append(
                f"{guessed} of {count} frames have no time of their own, or one that does not move on; they "
                f"were counted at {self.fps:g} frames a second"
            )
        if end.undecodable:
            self.remarks.append(f"{end.undecodable} of its packets are damaged; their frames are missing")
        if why := self._shortfall(count, last_s, end):
            self.is_complete = False
            self.remarks.append(f"the video ends after {why}: it is damaged or cut short")

    def _nothing(self) -> str:
        part = self.part
        if part.start_s or part.end_s is not None:
            until = "its end" if part.end_s is None else f"{part.end_s:g} s"
            length = f" It lasts {self.length_s:.1f} s." if self.length_s else ""
            return (
                f"The video has no frame from {part.start_s:g} s to {until}.{length} Name another part of it."
            )
        return "The video has no frame that can be decoded: it is empty, damaged or cut short."

    def _shortfall(self, count: int, last_s: float, end: VideoEnd) -> str:
        """How far it went, where that is not its end; else nothing."""
        if math.isinf(end.reached_s):
            return ""  # the part's end
        expected = self._all_frames or 0
        reached_s = max(last_s, end.reached_s, end.reached_s + self.origin_s)
        # Frames are counted exactly by some formats and guessed from the length by others.
        seen = last_s * self.fps if self.part != VideoPart() else count
        is_short = (
            seen < _COMPLETE_SHARE * expected - 2 and reached_s < _COMPLETE_SHARE * expected / self.fps - 1
        )
        if is_short and self.part == VideoPart():
            return f"{count} of {expected} frames, at {last_s:.1f} s"
        if is_short or end.is_broken_off or self._is_cut():
            return f"{count} frames, at {last_s:.1f} s"
        return ""

    def _is_cut(self) -> bool:
        try:
            with self._path.open("rb") as file:
                return is_cut(file, self._kind)
        except OSError:
            return False  # removed meanwhile: nobody can tell


def _checked_kind(path: Path) -> str:
    """The file's kind. Raises FileUnreadableError, NotAVideoError, VideoError."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no ordinary file"
            raise FileUnreadableError(f"{path} is {kind}; a video file is needed.")
        if not status.st_size:
            raise VideoError("The file is empty (0 bytes). Save or fetch the video again.")
        with path.open("rb") as file:
            return kind_of(file.read(HEAD_BYTES))
    except OSError as exc:
        raise FileUnreadableError(f"{path}: {exc.strerror or exc}.") from exc
    except ValueError as exc:  # a zero byte in the name
        raise FileUnreadableError(f"{path!s:.200}: {exc}.") from exc

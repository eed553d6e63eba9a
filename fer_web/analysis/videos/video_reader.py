"""A video file -> its frames, upright, each with its own time."""

import math
import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

import cv2
import numpy as np

from fer_web.analysis.videos.video_kinds import FFMPEG_FORMATS, HEAD_BYTES, kind_of, refusal
from fer_web.errors import FileUnreadableError, VideoError, VideoTooLargeError
from fer_web.settings import Settings
from fer_web.vision.types import Frame

DEFAULT_FPS: Final = 30.0
MAX_FPS: Final = 240.0
"""A higher rate in a header is a unit of time and no rate."""

MIN_STEP_S: Final = 1e-4
"""Two frames of a video are further apart: times are stored in milliseconds, or finer."""

_PATIENCE_MS: Final = 10_000
"""FFmpeg looks for the next frame this long at most, where a file has none for gigabytes."""

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


class Capture(Protocol):
    """A capture does what we need of OpenCV's VideoCapture."""

    def isOpened(self) -> bool: ...  # noqa: N802 - its name
    def read(self) -> tuple[bool, Any]: ...
    def get(self, propId: int, /) -> float: ...  # noqa: N803 - its name
    def release(self) -> None: ...


def open_capture(path: Path) -> Capture:
    """OpenCV's FFmpeg, which turns frames as the file's rotation says and stays silent about damage."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"format_whitelist;{FFMPEG_FORMATS}|protocol_whitelist;file"
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    patience = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _PATIENCE_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _PATIENCE_MS]
    return cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, patience)


class VideoReader:
    """Reads a video once, frame by frame; one frame is in memory at a time.

    Attributes:
        size_hw: of the frames as they are seen, in pixels, by the header.
        fps: nominal frames a second.
        frames: how many there are by the header, None where it does not say; often wrong.
        is_complete: False after reading where the video ended before its header says.
        remarks: what whoever reads the results should know, one sentence each; complete after reading.
    """

    def __init__(
        self, path: Path, limits: VideoLimits, open_file: Callable[[Path], Capture] = open_capture
    ) -> None:
        """Open a file and check its header.

        Raises:
            FileUnreadableError: there is no such file, it is a folder, or it cannot be opened.
            NotAVideoError, VideoTooLargeError, VideoError.
        """
        self._limits = limits
        self._lock, self._is_closed = threading.Lock(), False
        kind = _checked_kind(path)
        self._capture = open_file(path)
        try:
            if not self._capture.isOpened():
                with path.open("rb") as file:
                    raise refusal(file, kind)
            self._read_header()
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
        with self._lock:
            self._is_closed = True
            self._capture.release()

    def __iter__(self) -> Iterator[VideoFrame]:
        """The frames in the order of their times.

        Raises: VideoError: there is none. VideoTooLargeError: longer or larger than its header says.
        """
        number, at_s, guessed = 0, -math.inf, 0
        while (found := self._next()) is not None:
            frame_bgr, said_s = found
            is_usable = math.isfinite(said_s) and said_s >= max(0.0, at_s + MIN_STEP_S)
            guessed += not is_usable
            at_s = said_s if is_usable else max(0.0, at_s + 1 / self.fps)
            self._check_length(at_s)
            yield VideoFrame(number, at_s, frame_bgr)
            number += 1
        self._conclude(number, at_s, guessed)

    def _next(self) -> tuple[Frame, float] | None:
        # OpenCV crashes where a file is released while it is read.
        with self._lock:
            if self._is_closed:
                return None
            is_read, picture = self._capture.read()
            if not is_read:
                return None
            said_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        self._check_pixels(picture.shape[0], picture.shape[1])
        return np.asarray(picture, np.uint8), said_s

    def _read_header(self) -> None:
        get = self._capture.get
        self.size_hw = int(get(cv2.CAP_PROP_FRAME_HEIGHT)), int(get(cv2.CAP_PROP_FRAME_WIDTH))
        self._check_pixels(*self.size_hw)
        fps, frames = get(cv2.CAP_PROP_FPS), get(cv2.CAP_PROP_FRAME_COUNT)
        is_rate = math.isfinite(fps) and 0 < fps <= MAX_FPS
        self.fps = fps if is_rate else DEFAULT_FPS
        self.frames = int(frames) if math.isfinite(frames) and 0 < frames < 1e9 else None
        if is_rate and self.frames:
            self._check_length((self.frames - 1) / fps)

    def _check_pixels(self, height: int, width: int) -> None:
        if height * width > self._limits.max_pixels:
            raise VideoTooLargeError(
                f"The video has frames of {width}x{height} = {height * width} pixels, "
                f"{self._limits.max_pixels} are allowed. Scale it down, or raise --max-video-pixels "
                "(FER_MAX_VIDEO_PIXELS)."
            )

    def _check_length(self, at_s: float) -> None:
        if at_s > self._limits.max_hours * 3600:
            raise VideoTooLargeError(
                f"The video lasts {at_s / 3600:.2f} hours or more, {self._limits.max_hours:g} are allowed. "
                "Cut it, or raise --max-video-hours (FER_MAX_VIDEO_HOURS)."
            )

    def _conclude(self, count: int, last_s: float, guessed: int) -> None:
        if not count:
            raise VideoError("The video has no frame that can be decoded: it is empty, damaged or cut short.")
        if guessed:
            self.remarks.append(
                f"{guessed} of {count} frames have no time of their own, or one that does not move on; they "
                f"were counted at {self.fps:g} frames a second"
            )
        expected = self.frames or 0
        # Frames are counted exactly by some formats and guessed from the length by others.
        is_short = (
            count < _COMPLETE_SHARE * expected - 2 and last_s < _COMPLETE_SHARE * expected / self.fps - 1
        )
        if is_short:
            self.is_complete = False
            self.remarks.append(
                f"the video ends after {count} of {expected} frames, at {last_s:.1f} s: it is damaged or "
                "cut short"
            )


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

"""Our side of the decoder's process: it is started, asked for frames, and ended."""

import contextlib
import json
import mmap
import os
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from fer_web.analysis.videos.child_program import PATIENCE_S, ChildProgram, memory_bytes
from fer_web.analysis.videos.decoder_program import MESSAGE
from fer_web.analysis.videos.video_kinds import refusal
from fer_web.analysis.videos.video_part import (
    FLIPPED_X,
    FLIPPED_Y,
    TRANSPOSED,
    VideoEnd,
    VideoHeader,
    VideoPart,
)
from fer_web.errors import SetupError, VideoError, VideoTooLargeError
from fer_web.vision.types import Frame

MAX_THREADS: Final = 8
"""Threads of one video's decoder: each holds a frame more in memory"""

_MODULE: Final = "fer_web.analysis.videos.decoder_program"


class DecoderProcess:
    """Decodes one video in a process of its own. One thread reads; any may close.

    Attributes: header: what is known before reading. end: how it ended, None before, or where it broke off.
    """

    def __init__(self, path: Path, kind: str, max_pixels: int, part: VideoPart, threads: int = 0) -> None:
        """Start it and wait for the first frame.

        Args: kind: of the file, for messages. threads: of the decoder; 0: as many as there are cores.
        Raises: VideoError, VideoTooLargeError; SetupError: PyAV is missing.
        """
        self._path, self._kind, self._max_pixels = path, kind, max_pixels
        self._lock, self._is_closed = threading.Lock(), False
        self.end: VideoEnd | None = None
        self._shared_fd = _shared_memory()
        self._memory: mmap.mmap | None = None
        order = {
            "path": str(path.absolute()),
            "max_pixels": max_pixels,
            "memory_bytes": memory_bytes(max_pixels),
            "threads": threads or min(MAX_THREADS, os.cpu_count() or 1),
            "part": asdict(part),
            "shared_fd": self._shared_fd,
        }
        passed = () if self._shared_fd is None else (self._shared_fd,)
        try:
            self._program = ChildProgram(_MODULE, order, pass_fds=passed)
        except BaseException:
            self._let_memory_go()
            raise
        try:
            self.header = self._read_header()
        except BaseException:
            self.close()
            raise

    def next(self) -> tuple[Frame, float] | None:
        """The next frame, uint8 (H, W, 3) as it is shown, and its time in seconds from the first one.

        NaN: it has none. None: the end. Raises: VideoError: the decoder failed. VideoTooLargeError.
        """
        with self._lock:
            if self._is_closed or self.end is not None:
                return None
            message = self._message()
            if message is None:
                if not self._is_closed:
                    self._broke_off()
                return None
            letter, *numbers = message
            if letter == b"F":
                return self._frame(*numbers)
            told = self._json(numbers[0])
            if "error" in told:
                raise self._error(told)
            self.end = VideoEnd(**told["end"])
            return None

    def close(self) -> None:
        """End the process; a thread that reads gets no further frame."""
        self._is_closed = True
        self._program.kill()
        with self._lock:
            self._program.close()
            self._let_memory_go()

    def _read_header(self) -> VideoHeader:
        message = self._message()
        if message is None:
            raise self._died()
        told = self._json(message[1])
        if "error" in told:
            raise self._error(told)
        return VideoHeader(**told["header"])

    def _broke_off(self) -> None:
        """The process is gone without a word: after some frames, the video ends here."""
        self.end = VideoEnd(0.0, 0, is_broken_off=True)

    def _died(self) -> Exception:
        if self._program.is_late:
            return VideoError(
                f"The {self._kind} gave no frame in {PATIENCE_S:.0f} seconds, and its decoder was ended: it "
                "is damaged. Save it again, as H.264 in MP4 for example."
            )
        return VideoError(
            f"The decoder broke down over this {self._kind}: it is damaged. Save it again, as H.264 in MP4 "
            "for example."
        )

    def _error(self, told: dict[str, Any]) -> Exception:
        reason = told["error"]
        if reason == "pixels":
            return too_many_pixels(told["height"], told["width"], self._max_pixels)
        if reason == "setup":
            return SetupError(
                f"Videos cannot be decoded here ({told['missing']}). Install what requirements-serve.txt "
                "names."
            )
        if reason == "no frame":
            return VideoError(
                "The video has no frame that can be decoded: it is empty, damaged or cut short."
            )
        if reason == "memory":
            return VideoTooLargeError(
                f"The video needs more than {memory_bytes(self._max_pixels) / 1e9:.1f} GB of memory to "
                "decode. Scale it down, or save it again as H.264 in MP4."
            )
        with self._path.open("rb") as file:
            return refusal(file, self._kind, reason, told.get("codec", ""))

    def _message(self) -> Any:
        data = self._read(MESSAGE.size)
        return MESSAGE.unpack(data) if data else None

    def _json(self, size: int) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._read(size) or b"{}")
        return told

    def _frame(
        self, height: int, width: int, row_bytes: int, place: int, bits: int, at_s: float
    ) -> tuple[Frame, float] | None:
        size = height * row_bytes
        memory: Any
        if self._shared_fd is None:
            memory, place = self._read(size), 0
            if memory is None:
                self._broke_off()
                return None
        else:
            memory = self._mapped(place + size)
        view = np.ndarray((height, width, 3), np.uint8, memory, place, (row_bytes, 3, 1))
        picture = np.array(oriented(view, bits), order="C")
        if self._shared_fd is not None:
            with contextlib.suppress(OSError):  # it has ended: nobody needs the place
                self._program.stdin.write(b".")
        return picture, at_s

    def _mapped(self, size: int) -> mmap.mmap:
        if self._memory is None or len(self._memory) < size:
            self._memory = mmap.mmap(self._shared_fd or 0, os.fstat(self._shared_fd or 0).st_size)
        return self._memory

    def _read(self, size: int) -> bytearray | None:
        """So many bytes; None where the output ends before."""
        data = bytearray(size)
        left = memoryview(data)
        with self._program.awaited():
            while left:
                got = self._program.stdout.readinto(left)  # type: ignore[attr-defined]
                if not got:
                    return None
                left = left[got:]
        return data

    def _let_memory_go(self) -> None:
        # The mapping goes with the last frame that was cut from it.
        self._memory = None
        if self._shared_fd is not None:
            os.close(self._shared_fd)
            self._shared_fd = None


def oriented(picture: Frame, bits: int) -> Any:
    """A view of a picture (H, W, 3), turned and mirrored as orientation bits say (video_part.py)."""
    if bits & TRANSPOSED:
        picture = picture.transpose(1, 0, 2)
    return picture[:: -1 if bits & FLIPPED_Y else 1, :: -1 if bits & FLIPPED_X else 1]


def too_many_pixels(height: int, width: int, max_pixels: int) -> VideoTooLargeError:
    """What is said of frames that are too large."""
    return VideoTooLargeError(
        f"The video has frames of {width}x{height} = {height * width} pixels, {max_pixels} are allowed. "
        "Scale it down, or raise --max-video-pixels (FER_MAX_VIDEO_PIXELS)."
    )


def _shared_memory() -> int | None:
    """A file in memory alone, for a child to write into; None where the system has none (all but Linux)."""
    return os.memfd_create("frames") if sys.platform == "linux" else None

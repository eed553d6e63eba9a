"""Frames -> a video file: H.264 or VP9 with sound by FFmpeg's program, else what OpenCV writes, without."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

import cv2

from fer_web.analysis.videos.video_kinds import FFMPEG_FORMATS
from fer_web.errors import InvalidValueError, SetupError, VideoWriteError
from fer_web.interrupts import interrupt_waits
from fer_web.vision.types import Frame

H264_SUFFIXES: Final = (".mp4", ".mov", ".mkv")
SUFFIXES: Final = (*H264_SUFFIXES, ".webm", ".avi")
_H264_ENCODERS: Final = {"libx264": ("-preset", "veryfast", "-crf", "21"), "libopenh264": ("-b:v", "4M")}
_VP9: Final = (
    "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7", "-row-mt", "1", "-crf", "32",
    "-b:v", "0",
)  # fmt: skip
_MIN_FREE_BYTES: Final = 16_000_000
_WAIT_S: Final = 120


class Encoder(Protocol):
    """Writes frames of one size at a constant rate into a file."""

    def write(self, frame_bgr: Frame) -> None:
        """Append a frame, uint8 (H, W, 3). Raises VideoWriteError."""
        ...

    def finish(self) -> None:
        """Complete the file. Raises VideoWriteError."""
        ...

    def cancel(self) -> None:
        """Stop and let the file go; nothing after `finish`."""
        ...


@dataclass(frozen=True)
class VideoForm:
    """A form says how an annotated video is written.

    Attributes:
        description: codec, and what happens to the sound, in words.
        open: makes an encoder for draft file, source file, frames a second, (height, width).
    """

    suffix: str
    description: str
    open: Callable[[Path, Path, float, tuple[int, int]], Encoder]


def choose_form(suffix: str | None) -> VideoForm:
    """The form for a file name's suffix, or the best one that this machine has.

    Raises: InvalidValueError: no such suffix. SetupError: it needs FFmpeg's program.
    """
    suffix = suffix and suffix.lower()
    if suffix and suffix not in SUFFIXES:
        raise InvalidValueError(
            f"A video is written as one of {', '.join(SUFFIXES)}; {suffix} was given. Take one of them, "
            "or name a folder."
        )
    encoders = _ffmpeg_encoders()
    h264 = next((name for name in _H264_ENCODERS if name in encoders), None)
    if suffix in (None, *H264_SUFFIXES) and h264:
        return VideoForm(suffix or ".mp4", "H.264, with the sound of the video", _ffmpeg_opener(h264))
    if suffix == ".webm" and "libvpx-vp9" in encoders:
        return VideoForm(suffix, "VP9, with the sound of the video", _ffmpeg_opener("libvpx-vp9"))
    return _opencv_form(suffix, "ffmpeg has no H.264 encoder" if encoders else "ffmpeg is not on the PATH")


def _opencv_form(suffix: str | None, reason: str) -> VideoForm:
    if suffix in H264_SUFFIXES:
        raise SetupError(
            f"{suffix} is written by ffmpeg, and {reason}. Install it, or name a folder, .avi or .webm."
        )
    if suffix == ".webm":
        return VideoForm(suffix, "VP9 without sound, slowly, because ffmpeg has none", _opencv_opener("VP90"))
    note = "" if suffix == ".avi" else f", because {reason}"
    return VideoForm(".avi", f"MJPEG without sound{note}", _opencv_opener("MJPG"))


def _ffmpeg_opener(codec: str) -> Callable[[Path, Path, float, tuple[int, int]], Encoder]:
    return lambda draft, source, fps, size_hw: FFmpegEncoder(draft, source, fps, size_hw, codec)


def _opencv_opener(fourcc: str) -> Callable[[Path, Path, float, tuple[int, int]], Encoder]:
    return lambda draft, _source, fps, size_hw: OpenCVEncoder(draft, fps, size_hw, fourcc)


def _ffmpeg_encoders() -> frozenset[str]:
    """The encoders of the ffmpeg on the PATH; empty where there is none that works."""
    program = shutil.which("ffmpeg")
    if not program:
        return frozenset()
    try:
        done = subprocess.run(
            [program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(word for line in done.stdout.splitlines() for word in line.split()[1:2])


class FFmpegEncoder:
    """A process of ffmpeg that gets frames through a pipe, and the sound from the source itself."""

    def __init__(self, draft: Path, source: Path, fps: float, size_hw: tuple[int, int], codec: str) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._free = FreeSpace(draft)
        command = _ffmpeg_command(draft, source, fps, size_hw, codec)
        try:
            # A process that nobody knows of yet could not be ended.
            with interrupt_waits():
                # A session of its own: Ctrl-C is for us, who then end it.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    start_new_session=True,
                )
        except KeyboardInterrupt:
            self.cancel()
            raise

    def write(self, frame_bgr: Frame) -> None:
        """Append a frame."""
        self._free.check()
        try:
            self._pipe.write(frame_bgr.data)
        except OSError as exc:
            raise self._failure() from exc

    def finish(self) -> None:
        """Wait for ffmpeg to complete the file."""
        try:
            self._pipe.close()
            status = self._process.wait(_WAIT_S)
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise self._failure() from exc
        if status:
            raise self._failure()
        self._errors.close()

    def cancel(self) -> None:
        """End ffmpeg."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdin and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # what was buffered has nowhere to go
                self._process.stdin.close()
        self._errors.close()

    @property
    def _pipe(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise ValueError("the process was started without a pipe")
        return self._process.stdin

    def _failure(self) -> VideoWriteError:
        self._errors.seek(0)
        lines = self._errors.read(4000).decode(errors="replace").split("\n")
        reason = "; ".join(line.strip() for line in lines if line.strip())[:300] or "it ended early"
        return VideoWriteError(f"ffmpeg could not write the video: {reason}.")


def _ffmpeg_command(draft: Path, source: Path, fps: float, size_hw: tuple[int, int], codec: str) -> list[str]:
    height, width = size_hw
    frames = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", f"{fps:.6f}"]
    # The source may come from anybody: it may name no other file or address.
    sound = [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FFMPEG_FORMATS,
        "-vn",
        "-sn",
        "-dn",
        "-i",
        f"file:{source.absolute()}",
    ]
    is_vp9 = codec == "libvpx-vp9"
    picture = _VP9 if is_vp9 else ("-c:v", codec, *_H264_ENCODERS[codec])
    streams = ["-map", "0:v:0", "-map", "1:a?", "-c:a", "libopus" if is_vp9 else "aac"]
    ending = [
        "-map_metadata",
        "-1",
        *([] if draft.suffix in (".webm", ".mkv") else ["-movflags", "+faststart"]),
    ]
    return [
        shutil.which("ffmpeg") or "ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *frames, "-i",
        "pipe:0", *sound, *streams, *picture, "-pix_fmt", "yuv420p", *ending, f"file:{draft.absolute()}",
    ]  # fmt: skip


class OpenCVEncoder:
    """OpenCV's own writer, which tells of no failure: the file is looked at in the end."""

    def __init__(self, draft: Path, fps: float, size_hw: tuple[int, int], fourcc: str) -> None:
        self._draft, self._written, self._free = draft, 0, FreeSpace(draft)
        code = cv2.VideoWriter.fourcc(*fourcc)
        self._writer = cv2.VideoWriter(str(draft), cv2.CAP_FFMPEG, code, fps, size_hw[::-1])
        if not self._writer.isOpened():
            raise VideoWriteError(
                f"This OpenCV cannot write {fourcc} in {draft.suffix}. Name a file that ends in .avi."
            )

    def write(self, frame_bgr: Frame) -> None:
        """Append a frame."""
        self._free.check()
        self._writer.write(frame_bgr)
        self._written += 1

    def finish(self) -> None:
        """Complete the file, and see whether every frame is in it."""
        self._writer.release()
        found = cv2.VideoCapture(str(self._draft), cv2.CAP_FFMPEG)
        frames = found.get(cv2.CAP_PROP_FRAME_COUNT)
        found.release()
        if frames < self._written - 1:  # lengths in milliseconds may round one away
            raise VideoWriteError(
                f"The video holds {max(0, int(frames))} of {self._written} frames. Is the disk full?"
            )

    def cancel(self) -> None:
        """Let the file go."""
        self._writer.release()


class FreeSpace:
    """Looks now and then whether the disk has room left: not all that writes there says so."""

    def __init__(self, path: Path) -> None:
        self._folder, self._calls = path.parent, 0

    def check(self) -> None:
        """Raises VideoWriteError: the disk is as good as full."""
        self._calls += 1
        if self._calls % 30 == 1 and (free := shutil.disk_usage(self._folder).free) < _MIN_FREE_BYTES:
            raise VideoWriteError(
                f"The disk of {self._folder.absolute()} is full: {free / 1e6:.0f} MB are left. Make room, "
                "or write the video elsewhere."
            )

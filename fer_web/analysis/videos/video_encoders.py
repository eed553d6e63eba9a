"""Frames -> a video file with the sound of its source, encoded by a process of its own."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Protocol

from fer_web.analysis.videos.child_program import PATIENCE_S, ChildProgram, memory_bytes
from fer_web.errors import InvalidValueError, VideoWriteError
from fer_web.vision.types import Frame

_MODULE: Final = "fer_web.analysis.videos.encoder_program"
_MIN_FREE_BYTES: Final = 16_000_000


@dataclass(frozen=True)
class Sound:
    """The sound of a file from `from_s` to `until_s` (None: its end), in the file's own time."""

    source: Path
    from_s: float = 0.0
    until_s: float | None = None


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
        codec, options, pixels, bit_rate: of the pictures, by FFmpeg's names.
        copied_sound: codecs that the file may hold as they are. sound_codec: for all others.
    """

    suffix: str
    description: str
    codec: str
    options: dict[str, str] = field(hash=False)
    copied_sound: tuple[str, ...]
    sound_codec: str
    pixels: str = "yuv420p"
    bit_rate: int | None = None

    def open(self, draft: Path, sound: Sound, fps: float, size_hw: tuple[int, int]) -> Encoder:
        """An encoder for a file of `fps` frames a second, even height and width."""
        return EncoderProcess(draft, sound, fps, size_hw, self)


_X264: Final = {"preset": "veryfast", "crf": "21"}
_VP9: Final = {"deadline": "realtime", "cpu-used": "7", "row-mt": "1", "crf": "32"}
_MP4_SOUND: Final = ("aac", "mp3", "ac3", "eac3", "alac")
_FORMS: Final = (
    VideoForm(".mp4", "H.264, with the sound of the video", "libx264", _X264, (*_MP4_SOUND, "opus"), "aac"),
    VideoForm(".mov", "H.264, with the sound of the video", "libx264", _X264, _MP4_SOUND, "aac"),
    VideoForm(
        ".mkv", "H.264, with the sound of the video", "libx264", _X264,
        (*_MP4_SOUND, "opus", "vorbis", "flac", "pcm_s16le"), "aac",
    ),
    VideoForm(
        ".webm", "VP9, with the sound of the video", "libvpx-vp9", _VP9, ("opus", "vorbis"), "libopus",
        bit_rate=0,
    ),
    VideoForm(
        ".avi", "MJPEG, with the sound of the video", "mjpeg", {"qmin": "2", "qmax": "4"},
        ("mp3", "mp2", "ac3", "pcm_s16le"), "libmp3lame", "yuvj420p",
    ),
)  # fmt: skip
SUFFIXES: Final = tuple(form.suffix for form in _FORMS)


def choose_form(suffix: str | None) -> VideoForm:
    """The form for a file name's suffix, or H.264 in MP4. Raises InvalidValueError: no such suffix."""
    wanted = (suffix or ".mp4").lower()
    for form in _FORMS:
        if form.suffix == wanted:
            return form
    raise InvalidValueError(
        f"A video is written as one of {', '.join(SUFFIXES)}; {wanted} was given. Take one of them, "
        "or name a folder."
    )


class EncoderProcess:
    """A process that gets frames through a pipe, and reads the sound from the source itself."""

    def __init__(
        self, draft: Path, sound: Sound, fps: float, size_hw: tuple[int, int], form: VideoForm
    ) -> None:
        self._free = FreeSpace(draft)
        height, width = size_hw
        order = {
            "draft": str(draft.absolute()),
            "source": str(sound.source.absolute()),
            "sound_from_s": sound.from_s,
            "sound_until_s": None if sound.until_s is None else sound.until_s - sound.from_s,
            "fps": round(fps, 6),
            "height": height,
            "width": width,
            "codec": form.codec,
            "options": form.options,
            "pixels": form.pixels,
            "bit_rate": form.bit_rate,
            "copied_sound": form.copied_sound,
            "sound_codec": form.sound_codec,
            "memory_bytes": memory_bytes(height * width),
        }
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            self._program = ChildProgram(_MODULE, order, errors=self._errors)
        except BaseException:
            self._errors.close()
            raise

    def write(self, frame_bgr: Frame) -> None:
        """Append a frame."""
        self._free.check()
        try:
            with self._program.awaited():
                self._send(b"F")
                self._send(frame_bgr.data.cast("B"))
        except OSError as exc:
            raise self._failure() from exc

    def finish(self) -> None:
        """Wait for the process to complete the file."""
        try:
            self._send(b"E")
        except OSError as exc:
            raise self._failure() from exc
        if self._program.wait():
            raise self._failure()
        self.cancel()

    def cancel(self) -> None:
        """End the process."""
        self._program.close()
        self._errors.close()

    def _send(self, data: bytes | memoryview) -> None:
        left = memoryview(data)
        while left:
            left = left[self._program.stdin.write(left) :]

    def _failure(self) -> VideoWriteError:
        self._program.wait()
        if self._program.is_late:
            reason = f"its encoder did nothing for {PATIENCE_S:.0f} seconds"
        else:
            self._errors.seek(0)
            lines = self._errors.read(4000).decode(errors="replace").split("\n")
            reason = "; ".join(line.strip() for line in lines if line.strip())[:300] or "its encoder ended"
        return VideoWriteError(f"The video could not be written: {reason}. Is the disk full?")


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

"""Reads a camera in a thread of its own: the newest frame waits; what breaks off is opened anew."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from fer_web.analysis.cameras.camera_source import CameraSource
from fer_web.errors import CameraError
from fer_web.vision.types import Frame

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 30.0
"""Between two attempts to connect: twice as long after each that fails, up to this."""

_JOIN_S: Final = 2.0

Open = Callable[[CameraSource], Iterator[Frame]]


@dataclass(frozen=True)
class CapturedFrame:
    """A frame and when it came, in seconds of the monotonic clock."""

    frame_bgr: Frame
    captured_s: float


class CameraStream:
    """The frames of one camera, for one caller. `start` first, `stop` at the end."""

    def __init__(
        self, source: CameraSource, open_frames: Open, tell: Callable[[str], None], every: int = 1
    ) -> None:
        """Args:
        open_frames: gives frames, and raises CameraError when it breaks.
        tell: takes what happened to the connection, one sentence; called in the reader's thread.
        every: each so-many-th frame is taken.
        """
        self._source, self._open, self._tell, self._every = source, open_frames, tell, every
        self._ready = threading.Condition()
        self._newest: CapturedFrame | None = None
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self.frames = 0
        self.connections = 0
        self.problem = ""
        """Why there are no frames now; empty while there are some."""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the reader; one that waits for its source ends by itself after the source's own time-out."""
        self._is_stopping.set()
        self._thread.join(_JOIN_S)

    def next_frame(self, timeout_s: float) -> CapturedFrame | None:
        """The newest frame that was not given yet; None where none comes within the time."""
        with self._ready:
            self._ready.wait_for(lambda: self._newest is not None, timeout_s)
            newest, self._newest = self._newest, None
            return newest

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._is_stopping.is_set():
            before = self.frames
            try:
                self._read()
            except CameraError as exc:
                if str(exc) != self.problem or self.frames > before:
                    self._tell(str(exc))
                self.problem = str(exc)
            wait_s = FIRST_WAIT_S if self.frames > before else min(2 * wait_s, LONGEST_WAIT_S)
            self._is_stopping.wait(wait_s)

    def _read(self) -> None:
        frames = self._open(self._source)
        try:
            for number, frame_bgr in enumerate(frames):
                if self._is_stopping.is_set():
                    return
                if number == 0:
                    self._connected()
                if number % self._every == 0:
                    self._put(frame_bgr)
        finally:
            frames.close()  # type: ignore[attr-defined]  # a generator, or a test's

    def _connected(self) -> None:
        self.connections += 1
        self.problem = ""
        if self.connections > 1:
            self._tell(f"{self._source.shown} is there again.")

    def _put(self, frame_bgr: Frame) -> None:
        with self._ready:
            self.frames += 1
            self._newest = CapturedFrame(frame_bgr, time.monotonic())
            self._ready.notify()

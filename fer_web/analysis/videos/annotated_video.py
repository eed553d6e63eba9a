"""A video with boxes and labels, at a constant rate and with the times of its source."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from fer_web.analysis.stills.annotation import annotate
from fer_web.analysis.videos.video import AnalysedFrame
from fer_web.analysis.videos.video_encoders import Encoder, Sound, VideoForm
from fer_web.vision.types import Frame

MIN_FPS: Final = 24.0
"""Written at a multiple of their rate, slow videos keep the times of frames that come unevenly."""
MAX_FPS: Final = 60.0


class AnnotatedVideo:
    """Takes analysed frames, and writes each as often as its time says.

    A frame is shown from the place nearest to its time until the next one comes, so that it is right by half
    a frame of the written rate. Of several frames for one place the last is written.
    """

    def __init__(
        self, draft: Path, sound: Sound, fps: float, form: VideoForm, check: Callable[[], None] = lambda: None
    ) -> None:
        """Args:
        draft: file to write. sound: that of the source, from where its first frame at 0 seconds stands.
        fps: of the frames that come, nominally.
        check: called for each frame that is written, may raise: one of the source may become thousands.
        """
        self._check = check
        self.fps = min(MAX_FPS, fps * math.ceil(MIN_FPS / fps))
        self._draft, self._sound, self._form = draft, sound, form
        self._starts_s: float | None = None
        self._encoder: Encoder | None = None
        self._size_hw = (0, 0)
        self._shown: Frame | None = None
        self._written = 0

    def add(self, analysed: AnalysedFrame) -> None:
        """Take the next frame. Raises VideoWriteError."""
        if self._starts_s is None:
            self._starts_s = analysed.frame.at_s
        self._fill_until(round((analysed.frame.at_s - self._starts_s) * self.fps))
        self._shown = self._fitted(annotate(analysed.frame.frame_bgr, analysed.faces))

    def finish(self) -> None:
        """Complete the file. Raises VideoWriteError."""
        self._fill_until(self._written + 1)
        if self._encoder:
            self._encoder.finish()

    def cancel(self) -> None:
        """Stop writing; the draft stays for its owner to remove."""
        if self._encoder:
            self._encoder.cancel()

    def _fill_until(self, place: int) -> None:
        while self._shown is not None and self._encoder and self._written < place:
            self._check()
            self._encoder.write(self._shown)
            self._written += 1

    def _fitted(self, picture: Frame) -> Frame:
        """Return it in the size of the first frame, with even sides, as codecs need them."""
        if self._encoder is None:
            self._size_hw = picture.shape[0] + picture.shape[0] % 2, picture.shape[1] + picture.shape[1] % 2
            sound = replace(self._sound, from_s=self._sound.from_s + (self._starts_s or 0.0))
            self._encoder = self._form.open(self._draft, sound, self.fps, self._size_hw)
        height, width = self._size_hw
        below, right = height - picture.shape[0], width - picture.shape[1]
        if not (0 <= below <= 1 and 0 <= right <= 1):
            return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        if below or right:
            picture = np.asarray(
                cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        return np.ascontiguousarray(picture)

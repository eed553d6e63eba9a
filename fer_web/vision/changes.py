"""Notices that a stream shows another scene all at once, or where something in it has changed."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.types import Frame

SAMPLED: Final = 64
THUMBNAIL_WH: Final = (16, 12)
MIN_CHANGE: Final = 25.0
"""A cut changes the thumbnail's 256 grey levels by this much on average."""

MIN_CELL_CHANGE: Final = 10.0
"""Something moves in a cell of the thumbnail that changes by so many levels; noise and shaking do not."""


@dataclass(frozen=True)
class Change:
    """It says what is new in a frame.

    Attributes:
        is_cut: the scene is another one than in the last frame.
        places_xy: float32 (N, 2), frame pixels: the middles of what moved, each in one piece.
    """

    is_cut: bool
    places_xy: NDArray[np.float32]


NO_PLACES: Final = np.zeros((0, 2), np.float32)


class ChangeWatch:
    """Compares each frame with the one before, as thumbnails: this takes 0.1 ms for any size."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None

    def look(self, frame_bgr: Frame) -> Change:
        """Tell what has changed since the last frame; nothing in the first one."""
        thumbnail = _thumbnail(frame_bgr)
        last, self._last = self._last, thumbnail
        if last is None:
            return Change(False, NO_PLACES)
        changes = np.abs(thumbnail - last)
        if float(changes.mean()) >= MIN_CHANGE:
            return Change(True, NO_PLACES)
        return Change(False, _places(changes >= MIN_CELL_CHANGE, frame_bgr.shape))


def _places(moved: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.float32]:
    if not moved.any():
        return NO_PLACES
    _, _, _, middles = cv2.connectedComponentsWithStats(moved.astype(np.uint8), connectivity=8)
    cell_wh = np.array([shape[1], shape[0]]) / THUMBNAIL_WH
    # The first component is the ground.
    return np.asarray((middles[1:] + 0.5) * cell_wh, np.float32)


def _thumbnail(frame_bgr: Frame) -> NDArray[np.float32]:
    """Grey float32 (12, 16), 0-255: the means of cells of every n-th pixel."""
    step = max(1, min(frame_bgr.shape[:2]) // SAMPLED)
    grey = frame_bgr[::step, ::step].mean(axis=2, dtype=np.float32)
    return np.asarray(cv2.resize(grey, THUMBNAIL_WH, interpolation=cv2.INTER_AREA), np.float32)

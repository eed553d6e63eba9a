"""Keeps boxes and eyes from trembling: the 1 euro filter, for each face of a stream.

Casiez et al. 2012, "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive
systems".
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.vision.types import Faces

REST_CUTOFF_HZ: Final = 1.5
"""Noise of a face that rests is filtered from here on. A face of 150 pixels then trembles by a third."""

CUTOFF_PER_SPEED: Final = 12.0
"""The cutoff rises by this for each side of itself that a face moves in a second: it lags by a few pixels."""

SPEED_CUTOFF_HZ: Final = 2.0
MAX_GAP_S: Final = 0.5
"""A face that was not seen for longer begins anew."""

Values = NDArray[np.float32]
"""float32 (8,): the box, then both eyes, in pixels."""


class BoxFilter:
    """Remembers each face's box and speed."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, Values, Values]] = {}

    def update(self, face_ids: Sequence[int], faces: Faces, time_s: float) -> Faces:
        """Filter one frame's faces.

        Args: time_s: when the frame was captured; where it does not move on, nothing is filtered.
        Returns: the same faces in the same order.
        """
        found = np.concatenate([faces.xyxy, faces.eyes_xy.reshape(-1, 4)], axis=1)
        filtered = {
            face_id: self._filter(self._last.get(face_id), values, time_s)
            for face_id, values in zip(face_ids, found, strict=True)
        }
        self._last = {face_id: (time_s, *both) for face_id, both in filtered.items()}
        rows = np.array([values for values, _ in filtered.values()], np.float32).reshape(-1, 8)
        return replace(faces, xyxy=rows[:, :4], eyes_xy=rows[:, 4:].reshape(-1, 2, 2))

    def _filter(
        self, last: tuple[float, Values, Values] | None, values: Values, time_s: float
    ) -> tuple[Values, Values]:
        step_s = time_s - last[0] if last is not None else 0.0
        if last is None or not 0 < step_s <= MAX_GAP_S:
            return values, np.zeros(8, np.float32)
        side = max(float(values[2] - values[0]), 1.0)
        # Eyes that are unknown, or were, are taken as they are.
        shift = np.nan_to_num(values - last[1])
        speeds = last[2] + _weight(SPEED_CUTOFF_HZ, step_s) * (shift / (side * step_s) - last[2])
        cutoffs_hz = REST_CUTOFF_HZ + CUTOFF_PER_SPEED * np.abs(speeds)
        weights = 1 / (1 + 1 / (2 * math.pi * cutoffs_hz * step_s))
        smooth = np.where(np.isfinite(last[1]), values - (1 - weights) * shift, values)
        return np.asarray(smooth, np.float32), np.asarray(speeds, np.float32)


def _weight(cutoff_hz: float, step_s: float) -> float:
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * step_s))

"""Steady scores over time: what is shown does not flicker from frame to frame."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.vision.face_memory import FaceMemory

LEAST_SCORE: Final = 0.004
"""A score below this averages as this: one that was 0.0001 would take long to rise."""

QUICKENING: Final = 1.5
"""Scores that differ altogether arrive sooner than noise, by this and one times."""


class ScoreSmoother:
    """Exponential average of the logarithms of each face's scores, by elapsed time and not by frame count.

    A new face starts with its own scores. `FaceMemory` says how long one that is missed is remembered.
    """

    def __init__(self, time_constant_s: float) -> None:
        """Args: time_constant_s: after this time a step has arrived by 63 %; 0 switches smoothing off."""
        self.time_constant_s = time_constant_s
        self._memory = FaceMemory[NDArray[np.float32]]()

    def update(
        self,
        face_ids: Sequence[int],
        scores: NDArray[np.float32],
        time_s: float,
        time_constant_s: float | None = None,
    ) -> NDArray[np.float32]:
        """Smooth one frame's scores.

        Args:
            face_ids: N ids.
            scores: float32 (N, K), rows sum to 1.
            time_s: the frame's capture time.
            time_constant_s: of this frame; None is the smoother's own.
        Returns: float32 (N, K), rows sum to 1.
        """
        smoothed = np.array(scores, np.float32)
        constant_s = self.time_constant_s if time_constant_s is None else time_constant_s
        for row, face_id in enumerate(face_ids):
            if last := self._memory.get(face_id, time_s):
                last_s, last_scores = last
                change = float(np.abs(scores[row] - last_scores).sum()) / 2
                weight = _weight(time_s - last_s, constant_s / (1 + QUICKENING * change))
                smoothed[row] = _average(scores[row], last_scores, weight)
        self._memory.keep(face_ids, smoothed, time_s)
        return smoothed


class ValueSmoother:
    """Exponential mean of whatever is measured of each face, by elapsed time."""

    def __init__(self) -> None:
        self._memory = FaceMemory[NDArray[np.float32]]()

    def update(
        self, face_ids: Sequence[int], values: NDArray[np.float32], time_s: float, time_constant_s: float
    ) -> NDArray[np.float32]:
        """Smooth one frame's values.

        Args: values: float32 (N, K). time_constant_s: after so long a step has arrived by 63 %; 0 is none.
        Returns: float32 (N, K).
        """
        smoothed = np.array(values, np.float32)
        for row, face_id in enumerate(face_ids):
            if last := self._memory.get(face_id, time_s):
                last_s, last_values = last
                weight = np.float32(_weight(time_s - last_s, time_constant_s))
                smoothed[row] = weight * smoothed[row] + (1 - weight) * last_values
        self._memory.keep(face_ids, smoothed, time_s)
        return smoothed


def _average(new: NDArray[np.float32], last: NDArray[np.float32], weight: float) -> NDArray[np.float32]:
    """A mean of logarithms follows a change sooner than one of scores, and noise moves it less."""
    if weight >= 1:
        return new
    logs = np.log(np.maximum((new, last), LEAST_SCORE))
    mean = np.exp(weight * logs[0] + (1 - weight) * logs[1])
    return np.asarray(mean / mean.sum(), np.float32)


def _weight(elapsed_s: float, time_constant_s: float) -> float:
    # A clock that stands still or jumps back gives no elapsed time to average over.
    if time_constant_s <= 0 or elapsed_s <= 0:
        return 1.0
    return 1.0 - math.exp(-elapsed_s / time_constant_s)

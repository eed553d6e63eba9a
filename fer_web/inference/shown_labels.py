"""Decides which expression is shown of each face, so that it does not flicker where two are as likely."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.affect import steady_second
from fer_web.inference.model_info import ModelInfo

FULL_CALM_S: Final = 0.25
"""From this smoothing on all margins hold; with less they shrink, and without smoothing there are none."""

LABEL_MARGIN: Final = 0.12
"""Another expression is shown once its score is higher than the shown one's by this."""

LEAVE_MARGIN: Final = 0.15
RETURN_MARGIN: Final = 0.03
"""A sure face is called unsure this far below the bound; one that is unsure becomes sure this far above."""

LEAST_S: Final = 0.3
"""Sure and unsure change at most this often, unless the expression changes too."""


@dataclass(frozen=True)
class ShownLabel:
    """What is shown of one face: a position in EMOTIONS, whether it is sure, and since when.

    `second`: position of another expression that is strong too; None: there is none.
    """

    label: int
    is_sure: bool
    since_s: float
    second: int | None = None


class ShownLabels:
    """Remembers what is shown of each face of one stream."""

    def __init__(self) -> None:
        self._last: dict[int, ShownLabel] = {}

    def update(
        self,
        face_ids: Sequence[int],
        scores: NDArray[np.float32],
        uncertainty: NDArray[np.float32],
        model: ModelInfo,
        *,
        time_s: float,
        smoothing_s: float,
    ) -> tuple[ShownLabel, ...]:
        """Decide for one frame.

        Args:
            scores: float32 (N, 7), steady over time. uncertainty: float32 (N,), likewise.
            model: says from where on a face is sure.
            smoothing_s: the stream's time constant.
        """
        calm = min(1.0, smoothing_s / FULL_CALM_S)
        rows = zip(face_ids, scores, uncertainty.tolist(), strict=True)
        shown = {
            face_id: _decide_both(self._last.get(face_id), row, doubt, model, time_s, calm)
            for face_id, row, doubt in rows
        }
        self._last = shown
        return tuple(shown.values())


def _decide_both(
    last: ShownLabel | None,
    scores: NDArray[np.float32],
    uncertainty: float,
    model: ModelInfo,
    time_s: float,
    calm: float,
) -> ShownLabel:
    """The label, and the second expression beside it."""
    shown = _decide(last, scores, uncertainty, model, time_s, calm)
    second = steady_second(None if last is None else last.second, scores, shown.label, calm)
    return shown if second == shown.second else replace(shown, second=second)


def _decide(
    last: ShownLabel | None,
    scores: NDArray[np.float32],
    uncertainty: float,
    model: ModelInfo,
    time_s: float,
    calm: float,
) -> ShownLabel:
    best = int(np.argmax(scores))
    if last is None or calm <= 0 or scores[best] > scores[last.label] + LABEL_MARGIN * calm:
        is_sure = model.is_sure(float(scores[best]), uncertainty)
        is_same = last is not None and (last.label, last.is_sure) == (best, is_sure)
        return last if is_same and last is not None else ShownLabel(best, is_sure, time_s)
    bonus = (LEAVE_MARGIN if last.is_sure else -RETURN_MARGIN) * calm
    is_sure = model.is_sure(float(scores[last.label]) + bonus, uncertainty - bonus)
    if is_sure == last.is_sure or 0 <= time_s - last.since_s < LEAST_S * calm:
        return last
    return ShownLabel(last.label, is_sure, time_s)

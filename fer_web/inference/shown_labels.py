"""Decides which expression is shown of each face, so that it does not flicker where two are as likely."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.affect import steady_second
from fer_web.inference.certainty import reason_of
from fer_web.inference.judgement import Judgement
from fer_web.inference.model_info import ModelInfo
from fer_web.vision.face_memory import FaceMemory

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
    """What is shown of one face.

    Attributes:
        label: a position in EMOTIONS. is_sure: whether it is named. since_s: since when.
        reason: one of certainty.REASONS that speaks against it; None where none does.
        second: position of another expression that is strong too; None: there is none.
    """

    label: int
    is_sure: bool
    since_s: float
    reason: str | None = None
    second: int | None = None


class ShownLabels:
    """Remembers what is shown of each face of one stream."""

    def __init__(self) -> None:
        self._memory = FaceMemory[ShownLabel]()

    def update(
        self,
        face_ids: Sequence[int],
        scores: NDArray[np.float32],
        judgement: Judgement,
        model: ModelInfo,
        *,
        time_s: float,
        smoothing_s: float,
    ) -> tuple[ShownLabel, ...]:
        """Decide for one frame.

        Args:
            scores: float32 (N, 7), steady over time. judgement: of them.
            model: says from where on a face is sure.
            smoothing_s: the stream's time constant.
        """
        calm = min(1.0, smoothing_s / FULL_CALM_S)
        shown = []
        for row, face_id in enumerate(face_ids):
            known = self._memory.get(face_id, time_s)
            last = None if known is None else known[1]
            now = _decide(last, scores[row], judgement.of(row), model, time_s, calm)
            shown.append(_with_second(last, now, scores[row], calm))
        self._memory.keep(face_ids, shown, time_s)
        return tuple(shown)


def _with_second(
    last: ShownLabel | None, shown: ShownLabel, scores: NDArray[np.float32], calm: float
) -> ShownLabel:
    second = steady_second(None if last is None else last.second, scores, shown.label, calm)
    return shown if second == shown.second else replace(shown, second=second)


def _decide(
    last: ShownLabel | None,
    scores: NDArray[np.float32],
    judged: tuple[float, float, NDArray[np.float32] | None],
    model: ModelInfo,
    time_s: float,
    calm: float,
) -> ShownLabel:
    certainty, uncertainty, conditions = judged
    best = int(np.argmax(scores))
    is_free = last is None or calm <= 0
    reason = (
        None
        if conditions is None
        else reason_of(conditions, None if is_free or last is None else last.reason)
    )
    if last is None or is_free or scores[best] > scores[last.label] + LABEL_MARGIN * calm:
        is_sure = model.is_sure(certainty, uncertainty)
        is_same = last is not None and (last.label, last.is_sure) == (best, is_sure)
        # While an expression changes, the averaged scores pass through what is unsure: that need not last.
        begun_s = time_s if is_sure else time_s - LEAST_S
        return ShownLabel(best, is_sure, last.since_s if is_same and last is not None else begun_s, reason)
    # The certainty is that of the best; an expression that stays shown beside it is right less often.
    certainty *= float(scores[last.label] / scores[best])
    bonus = (LEAVE_MARGIN if last.is_sure else -RETURN_MARGIN) * calm
    is_sure = model.is_sure(certainty + bonus, uncertainty - bonus)
    if is_sure == last.is_sure or 0 <= time_s - last.since_s < LEAST_S * calm:
        return replace(last, reason=reason)
    return ShownLabel(last.label, is_sure, time_s, reason)

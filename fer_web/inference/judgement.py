"""Judges the scores of a frame's faces: how certain each best one is, and which conditions hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.certainty import OWN_COLUMNS, CertaintyModel, view_spread
from fer_web.inference.classifier import Prediction
from fer_web.vision.face_memory import FaceMemory
from fer_web.vision.visibility import Patches

USUAL_SPREAD: Final = 0.08
"""The mean spread of two views of FER-2013's clean faces."""

LEAST_TEMPERED: Final = 1e-6
LEAST_EXPONENT: Final = 1 / 64
HALVINGS: Final = 16
"""Exponents of scores are sought between 1/64 and 64; so many halvings find them to 0.01 %."""


@dataclass(frozen=True)
class Judgement:
    """It says of N faces how far their scores are to be believed.

    Attributes:
        certainty: float32 (N,), 0-1, how likely the best score's expression is right.
        uncertainty: float32 (N,), 0-1, of the network itself.
        conditions: float32 (N, len(REASONS)), 0-1; None where nothing was fitted to the network.
    """

    certainty: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    conditions: NDArray[np.float32] | None = None

    def tempered(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the judged scores as they are shown: the best is the certainty where there is a fit."""
        return scores if self.conditions is None else tempered(scores, self.certainty)

    def of(self, row: int) -> tuple[float, float, NDArray[np.float32] | None]:
        """Return certainty, uncertainty and conditions of one face."""
        conditions = None if self.conditions is None else self.conditions[row]
        return float(self.certainty[row]), float(self.uncertainty[row]), conditions


def evidence_of(
    prediction: Prediction,
    spread: NDArray[np.float32],
    model: CertaintyModel | None,
    visibility: Callable[[], tuple[NDArray[np.float32], Patches]],
) -> NDArray[np.float32]:
    """Return what a judgement is made of besides scores: float32 (N, 2 + C), C = 0 without a model.

    Args:
        spread: float32 (N,), how far the last two views differ.
        visibility: measures the faces; called where there is a model alone.
    """
    own = np.stack([prediction.uncertainty, spread], axis=1)
    return (
        own
        if model is None
        else np.concatenate([own, model.conditions(*visibility(), prediction.cells)], axis=1)
    )


def judge(
    scores: NDArray[np.float32], evidence: NDArray[np.float32], model: CertaintyModel | None
) -> Judgement:
    """Judge scores, float32 (N, 7), by their evidence; without a model, certainty is confidence."""
    if model is None:
        return Judgement(scores.max(axis=1, initial=0.0), evidence[:, 0])
    return Judgement(model.certainty(scores, evidence), evidence[:, 0], evidence[:, OWN_COLUMNS:])


class ViewSpreads:
    """Remembers the scores of each face's last view, and tells how far the next view differs."""

    def __init__(self) -> None:
        self._memory = FaceMemory[NDArray[np.float32]]()

    def update(
        self, face_ids: Sequence[int], scores: NDArray[np.float32], time_s: float
    ) -> NDArray[np.float32]:
        """Return float32 (N,), 0-1; a face that was seen once alone has a usual spread.

        Args: scores: float32 (N, 7), of this frame's views. time_s: of the frame.
        """
        last = [self._memory.get(face_id, time_s) for face_id in face_ids]
        spread = np.array(
            [
                USUAL_SPREAD if other is None else view_spread(row, other[1])
                for row, other in zip(scores, last, strict=True)
            ],
            np.float32,
        )
        self._memory.keep(face_ids, scores, time_s)
        return spread


def tempered(scores: NDArray[np.float32], certainty: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scores, flatter or steeper, so that the best is the certainty: float32 (N, 7).

    Each face has a temperature of its own (Joy et al. 2023, "Sample-dependent adaptive temperature scaling
    for improved calibration"), so that what is shown is right as often as it says, and the order stays. Where
    the certainty is less than an even share, all are nearly even.

    Args: scores: float32 (N, 7), rows sum to 1. certainty: float32 (N,), 0-1.
    """
    logs = np.log(np.maximum(scores, LEAST_TEMPERED))
    logs -= logs.max(axis=1, keepdims=True)
    low = np.full(len(scores), LEAST_EXPONENT)
    high = np.full(len(scores), 1 / LEAST_EXPONENT)
    for _ in range(HALVINGS):
        middle = np.sqrt(low * high)
        is_steep = 1 / np.exp(middle[:, None] * logs).sum(axis=1) > certainty
        low, high = np.where(is_steep, low, middle), np.where(is_steep, middle, high)
    shares = np.exp(np.sqrt(low * high)[:, None] * logs)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)

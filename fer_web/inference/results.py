"""Defines what is told of one frame and of each face in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.classifier import Prediction
from fer_web.inference.heatmaps import FaceHeatmap, face_heatmap
from fer_web.inference.model_info import ModelInfo
from fer_web.inference.shown_labels import ShownLabel
from fer_web.inference.stream_settings import SERVER_SETTINGS, StreamSettings
from fer_web.labels import EMOTIONS


@dataclass(frozen=True)
class FaceResult:
    """One face of one frame.

    Attributes:
        face_id: the same for the same face over the frames of a stream.
        box: left, top, width, height as fractions of the frame; may reach over its edge.
        scores: seven probabilities in the order of EMOTIONS, steadied over time, and corrected where the
            person asked for it; they sum to 1.
        raw_scores: the same for this frame alone, never corrected.
        label: the expression with the largest score; in a stream, one that was larger just before may stay.
        confidence: that score, 0-1.
        is_sure: whether the confidence is high enough, and the network's uncertainty low enough, to name it.
        reason: one of certainty.REASONS, what speaks most against it; None where the face is sure, or nothing
            stands out.
        heatmap: None where it was not asked for or the network has none.
        second: another expression that is strong beside the label; None where there is none.
    """

    face_id: int
    box: tuple[float, float, float, float]
    scores: tuple[float, ...]
    raw_scores: tuple[float, ...]
    label: str
    confidence: float
    is_sure: bool
    heatmap: FaceHeatmap | None = None
    reason: str | None = None
    second: str | None = None

    @property
    def rival(self) -> str:
        """The expression with the largest score but for the label."""
        others = (index for index, name in enumerate(EMOTIONS) if name != self.label)
        return EMOTIONS[max(others, key=lambda index: self.scores[index])]


@dataclass(frozen=True)
class FrameResult:
    """The pipeline found this in one frame, and each stage took so many milliseconds.

    `settings`: the client's choice that the frame was analysed with. `corrected`: ids of the faces whose
    shown scores are corrected, whether they are in this frame or not.
    """

    faces: tuple[FaceResult, ...]
    timings_ms: dict[str, float]
    settings: StreamSettings = SERVER_SETTINGS
    corrected: tuple[int, ...] = ()


def face_result(
    face_id: int,
    xyxy: NDArray[np.float32],
    prediction: Prediction,
    scores: NDArray[np.float32],
    shown: ShownLabel,
    model: ModelInfo,
    *,
    corners: NDArray[np.floating] | None = None,
) -> FaceResult:
    """Return what is told of one face.

    Args:
        xyxy: float32 (4,), fractions of the frame.
        prediction: of this face alone.
        scores: float32 (7,), what is shown: prediction.scores, perhaps steadied over time.
        shown: which label is named, and how surely.
        corners: (4, 2) of the crop, fractions of the frame, for its heat map.
    """
    left, top, right, bottom = (float(value) for value in xyxy)
    return FaceResult(
        face_id=int(face_id),
        box=(left, top, right - left, bottom - top),
        scores=_named_scores(scores, model),
        raw_scores=_named_scores(prediction.scores[0], model),
        label=EMOTIONS[shown.label],
        confidence=_named_scores(scores, model)[shown.label],
        is_sure=shown.is_sure,
        heatmap=_heatmap(prediction, corners, model),
        reason=None if shown.is_sure else shown.reason,
        second=None if shown.second is None else EMOTIONS[shown.second],
    )


def _named_scores(scores: NDArray[np.float32], model: ModelInfo) -> tuple[float, ...]:
    """Scores (7,) as Python numbers; averages over views and time lift what a network cannot name above 0."""
    if not model.missing:
        return tuple(float(value) for value in scores)
    named = [
        0.0 if name in model.missing else float(score) for name, score in zip(EMOTIONS, scores, strict=True)
    ]
    total = sum(named) or 1.0
    return tuple(value / total for value in named)


def _heatmap(
    prediction: Prediction, corners: NDArray[np.floating] | None, model: ModelInfo
) -> FaceHeatmap | None:
    if prediction.heatmaps is None or corners is None or model.heatmaps is None:
        return None
    return face_heatmap(prediction.heatmaps[0], corners, model.heatmaps)

"""The temperature of the shown probabilities and the confidence under which a face is called unsure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.scores import shown_scores
from fer_web.labels import FERPLUS_INDEX_OF_EMOTION, FERPLUS_VOTES
from train.metrics import expected_calibration_error, negative_log_likelihood, risk_coverage

TEMPERATURES = np.round(np.geomspace(0.25, 4.0, 161), 4)
"""Tried one by one: the loss is smooth with one minimum, and steps of 1.7 % are finer than its error."""

ANSWERED_SHARE = 0.9
"""Share of faces with a FER+ majority on which the model commits itself; the least sure tenth is "unsure"."""

FOLDS = 5

_EMOTION_OF_VOTE = np.full(len(FERPLUS_VOTES), -1)
_EMOTION_OF_VOTE[list(FERPLUS_INDEX_OF_EMOTION)] = np.arange(len(FERPLUS_INDEX_OF_EMOTION))


@dataclass(frozen=True)
class Calibration:
    """What meta.json stores beside the network.

    Attributes:
        temperature: divides the FER+ logits.
        unsure_below: confidence, 0-1.
        cross_fitted_error: expected calibration error (0-1) when the temperature for each fifth of the faces
            is chosen on the other four.
    """

    temperature: float
    unsure_below: float
    cross_fitted_error: float


def emotion_of(ferplus_label: NDArray[np.integer]) -> NDArray[np.int64]:
    """FER+ columns (N,) as positions in EMOTIONS, int64; -1 for those that the seven cannot express."""
    return _EMOTION_OF_VOTE[ferplus_label]


def calibrate(ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer]) -> Calibration:
    """Choose temperature and threshold on faces with a FER+ majority.

    Args:
        ferplus_logits: (N, 10).
        majority: (N,), columns of FERPLUS_VOTES; contempt counts as an error, as it cannot be shown.
    """
    temperature = fit_temperature(ferplus_logits, majority)
    confidence, correct = shown_correctness(ferplus_logits, majority, temperature)
    curve = risk_coverage(confidence, correct)
    threshold = curve.confidence[max(0, round(ANSWERED_SHARE * len(curve.confidence)) - 1)]
    return Calibration(
        temperature=temperature,
        unsure_below=round(float(threshold), 3),
        cross_fitted_error=cross_fitted_error(ferplus_logits, majority),
    )


def fit_temperature(ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer]) -> float:
    """The temperature with the lowest negative log-likelihood of the shown scores (Guo et al. 2017)."""
    truth = emotion_of(majority)
    shown = truth >= 0
    losses = [
        negative_log_likelihood(shown_scores(ferplus_logits[shown], float(each))[0], truth[shown])
        for each in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(losses))])


def shown_correctness(
    ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer], temperature: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Confidence, float32 (N,), 0-1, of the shown label, and whether it is the majority's, bool (N,)."""
    scores, _ = shown_scores(ferplus_logits, temperature)
    return scores.max(axis=1), scores.argmax(axis=1) == emotion_of(majority)


def cross_fitted_error(ferplus_logits: NDArray[np.floating], majority: NDArray[np.integer]) -> float:
    """Calibration error (0-1) with each fold's temperature chosen on the others; folds are interleaved."""
    fold = np.arange(len(majority)) % FOLDS
    confidence = np.zeros(len(majority), np.float32)
    correct = np.zeros(len(majority), bool)
    for held_out in range(FOLDS):
        here = fold == held_out
        temperature = fit_temperature(ferplus_logits[~here], majority[~here])
        confidence[here], correct[here] = shown_correctness(ferplus_logits[here], majority[here], temperature)
    return expected_calibration_error(confidence, correct)

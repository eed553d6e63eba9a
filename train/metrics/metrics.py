"""Score predictions in plain NumPy: no files, no frameworks."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_web.inference.classifier import Logits
from fer_web.labels import FERPLUS_EMOTIONS
from fer_web.metrics.classification_report import accuracy
from train.data.fer_data import FerData

IntArray = NDArray[np.integer]
FloatArray = NDArray[np.floating]


def ferplus_majority(votes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return FER+'s majority label (Barsoum et al. 2016).

    Single votes are dropped; a row counts when one of the eight expressions has more than half of
    all votes that remain, those for "unknown" and "not-a-face" among them.

    Args: votes: (N, 10), in the order of FERPLUS_VOTES.
    Returns: int64 (N,) column with most votes, and bool (N,) whether the row counts.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.int64)
    leader = kept.argmax(axis=1) if len(kept) else np.zeros(0, np.int64)
    has_majority = kept.max(axis=1, initial=0) * 2 > kept.sum(axis=1)
    return leader, has_majority & (leader < len(FERPLUS_EMOTIONS))


def expected_calibration_error(confidence: FloatArray, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the mean distance of confidence and accuracy over equal bins of 0-1, weighted by rows
    (Guo et al. 2017).

    Args: confidence: (N,), 0-1. correct: bool (N,). Returns nan when N is 0.
    """
    if not len(confidence):
        return math.nan
    which = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(which, minlength=bins)
    gap = np.bincount(which, weights=np.asarray(confidence, np.float64) - correct, minlength=bins)
    return float(np.abs(gap).sum() / counts.sum())


@dataclass(frozen=True)
class RiskCoverage:
    """It shows what leaving the least sure rows unanswered gains.

    All are float64 (N,), from surest to least sure.

    Attributes:
        confidence: lowest confidence that is still answered.
        coverage: share of rows answered.
        risk: share of those that are wrong.
    """

    confidence: NDArray[np.float64]
    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]

    def accuracy_at(self, coverage: float) -> float:
        """Return the accuracy (0-1) on the given share (0-1) of rows of which the model is surest."""
        if not len(self.risk):
            return math.nan
        answered = max(1, round(coverage * len(self.risk)))
        return float(1 - self.risk[answered - 1])


def risk_coverage(confidence: FloatArray, correct: NDArray[np.bool_]) -> RiskCoverage:
    """Return the risk-coverage curve (El-Yaniv and Wiener 2010).

    Args: confidence: (N,). correct: bool (N,).
    """
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    answered = np.arange(1, len(order) + 1)
    wrong = np.cumsum(~np.asarray(correct, bool)[order])
    sorted_confidence = np.asarray(confidence, np.float64)[order]
    return RiskCoverage(sorted_confidence, answered / max(len(order), 1), wrong / answered)


def accuracies(logits: Logits, part: FerData) -> dict[str, float]:
    """Return each output's accuracy (0-1): against original labels and FER+'s majority."""
    majority, counts = ferplus_majority(part.known_votes)
    ferplus = logits.ferplus[:, : len(FERPLUS_EMOTIONS)].argmax(axis=1)
    return {
        "original": accuracy(part.emotion, logits.original.argmax(axis=1)),
        "ferplus": accuracy(majority[counts], ferplus[counts]),
    }

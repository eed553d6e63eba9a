"""Scores of predictions, in plain NumPy: no files, no frameworks."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_web.labels import FERPLUS_EMOTIONS

IntArray = NDArray[np.integer]
FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class ClassScores:
    """Scores of each of K classes, float64 (K,), 0-1; 0 where a class was never predicted or never there.

    `support` is int64 (K,), the number of rows of each true class.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]


def accuracy(truth: IntArray, predicted: IntArray) -> float:
    """Share of equal entries; nan when there are none."""
    return float(np.mean(truth == predicted)) if len(truth) else math.nan


def wilson_interval(successes: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), (0, 1) when there is nothing to count."""
    if count == 0:
        return 0.0, 1.0
    share = successes / count
    centre = share + z * z / (2 * count)
    margin = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return (centre - margin) / scale, (centre + margin) / scale


def confusion_matrix(truth: IntArray, predicted: IntArray, classes: int) -> NDArray[np.int64]:
    """int64 (K, K): rows are true classes, columns predicted ones."""
    flat = np.bincount(truth.astype(np.int64) * classes + predicted, minlength=classes * classes)
    return flat.reshape(classes, classes)


def class_scores(confusion: NDArray[np.int64]) -> ClassScores:
    """Precision, recall and F1 of each class from a confusion matrix (K, K)."""
    hits = np.diag(confusion).astype(np.float64)
    predicted, support = confusion.sum(axis=0), confusion.sum(axis=1)
    precision = hits / np.maximum(predicted, 1)
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(predicted + support, 1)
    return ClassScores(precision, recall, f1, support)


def macro_f1(scores: ClassScores) -> float:
    """Mean F1 over the classes that have rows; nan when none has."""
    present = scores.support > 0
    return float(scores.f1[present].mean()) if present.any() else math.nan


def weighted_f1(scores: ClassScores) -> float:
    """Mean F1 weighted by the rows of each class; nan when there are none."""
    total = scores.support.sum()
    return float((scores.f1 * scores.support).sum() / total) if total else math.nan


def balanced_accuracy(scores: ClassScores) -> float:
    """Mean recall over the classes that have rows; nan when none has."""
    present = scores.support > 0
    return float(scores.recall[present].mean()) if present.any() else math.nan


def ferplus_majority(votes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """FER+'s majority label (Barsoum et al. 2016).

    Single votes are dropped; a row counts when one of the eight expressions has more than half of all votes
    that remain, those for "unknown" and "not-a-face" among them.

    Args: votes: (N, 10), in the order of FERPLUS_VOTES.
    Returns: int64 (N,) column with most votes, and bool (N,) whether the row counts.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.int64)
    leader = kept.argmax(axis=1) if len(kept) else np.zeros(0, np.int64)
    has_majority = kept.max(axis=1, initial=0) * 2 > kept.sum(axis=1)
    return leader, has_majority & (leader < len(FERPLUS_EMOTIONS))


def expected_calibration_error(confidence: FloatArray, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Mean distance of confidence and accuracy over equal bins of 0-1, weighted by rows (Guo et al. 2017).

    Args: confidence: (N,), 0-1. correct: bool (N,). Returns nan when N is 0.
    """
    if not len(confidence):
        return math.nan
    which = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(which, minlength=bins)
    gap = np.bincount(which, weights=np.asarray(confidence, np.float64) - correct, minlength=bins)
    return float(np.abs(gap).sum() / counts.sum())


def negative_log_likelihood(probabilities: FloatArray, truth: IntArray) -> float:
    """Mean of -log of the probability (N, K) given to the true class (N,)."""
    chosen = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


@dataclass(frozen=True)
class RiskCoverage:
    """What is gained by leaving the least sure rows unanswered; all float64 (N,), from surest to least sure.

    Attributes:
        confidence: lowest confidence that is still answered.
        coverage: share of rows answered.
        risk: share of those that are wrong.
    """

    confidence: NDArray[np.float64]
    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]

    def accuracy_at(self, coverage: float) -> float:
        """Accuracy (0-1) on the given share (0-1) of rows of which the model is surest."""
        if not len(self.risk):
            return math.nan
        answered = max(1, round(coverage * len(self.risk)))
        return float(1 - self.risk[answered - 1])


def risk_coverage(confidence: FloatArray, correct: NDArray[np.bool_]) -> RiskCoverage:
    """Risk-coverage curve (El-Yaniv and Wiener 2010).

    Args: confidence: (N,). correct: bool (N,).
    """
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    answered = np.arange(1, len(order) + 1)
    wrong = np.cumsum(~np.asarray(correct, bool)[order])
    sorted_confidence = np.asarray(confidence, np.float64)[order]
    return RiskCoverage(sorted_confidence, answered / max(len(order), 1), wrong / answered)

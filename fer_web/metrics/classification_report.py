"""Scores predicted labels in plain NumPy: accuracy with its interval, each class, confusion."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.integer[Any]]


def score_labels(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], names: tuple[str, ...]
) -> dict[str, Any]:
    """Count, accuracy with 95 % interval, means over classes, each class, confusion (rows are true)."""
    confusion = confusion_matrix(truth, predicted, len(names))
    scores = class_scores(confusion)
    hits = int(np.diag(confusion).sum())
    per_class = {
        name: {
            "precision": float(scores.precision[i]),
            "recall": float(scores.recall[i]),
            "recall_interval_95": list(wilson_interval(int(confusion[i, i]), int(scores.support[i]))),
            "f1": float(scores.f1[i]),
            "count": int(scores.support[i]),
        }
        for i, name in enumerate(names)
    }
    return {
        "count": len(truth),
        "accuracy": hits / len(truth) if len(truth) else None,
        "interval_95": list(wilson_interval(hits, len(truth))),
        "macro_f1": number(macro_f1(scores)),
        "weighted_f1": number(weighted_f1(scores)),
        "balanced_accuracy": number(balanced_accuracy(scores)),
        "classes": per_class,
        "confusion": confusion.tolist(),
    }


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


def number(value: float) -> float | None:
    """As JSON can hold it: None for nan."""
    return None if isinstance(value, float) and math.isnan(value) else value

"""Score probabilities, beside the labels of metrics.py; in plain NumPy too."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.metrics.metrics import FloatArray, IntArray, expected_calibration_error

FALSE_POSITIVE_RATES = (
    0.0,
    0.005,
    0.01,
    0.02,
    0.03,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.8,
    1.0,
)
"""ROC curves are stored at these: dense where good models bend."""

_DRAWS, _DRAW_SEED = 400, 2013


@dataclass(frozen=True)
class RocCurve:
    """It puts one class against the rest; all float64 (P,), from the strictest threshold to the
    mildest.

    Attributes:
        false_positive_rate: share (0-1) of the other classes' rows at or over the threshold.
        true_positive_rate: share (0-1) of the class's own rows there.
    """

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Return the area under the curve, 0-1; nan where the class, or the rest, has no row."""
        if math.isnan(self.true_positive_rate[-1] + self.false_positive_rate[-1]):
            return math.nan
        width = np.diff(self.false_positive_rate)
        return float((width * (self.true_positive_rate[1:] + self.true_positive_rate[:-1]) / 2).sum())

    def sampled(self) -> list[float | None]:
        """Return the true positive rates at FALSE_POSITIVE_RATES, the higher where two are."""
        rates = [
            np.interp(rate + 1e-12, self.false_positive_rate, self.true_positive_rate)
            for rate in FALSE_POSITIVE_RATES
        ]
        return [None if math.isnan(rate) else float(rate) for rate in rates]


def roc_curve(is_class: NDArray[np.bool_], score: FloatArray) -> RocCurve:
    """Return the ROC curve (Fawcett 2006), rows of equal score taken together.

    Args: is_class: bool (N,). score: (N,), higher is more likely the class.
    """
    order = np.argsort(-np.asarray(score, np.float64), kind="stable")
    sorted_score, positive = np.asarray(score, np.float64)[order], np.asarray(is_class, bool)[order]
    last_of_score = np.append(sorted_score[1:] != sorted_score[:-1], True)[: len(order)]
    rates = []
    for hits in (~positive, positive):
        total = hits.sum()
        steps = np.cumsum(hits)[last_of_score] / total if total else np.full(last_of_score.sum(), np.nan)
        rates.append(np.concatenate([[0.0 if total else np.nan], steps]))
    return RocCurve(*rates)


def reliability(
    confidence: FloatArray, correct: NDArray[np.bool_], bins: int = 15
) -> dict[str, list[float | None]]:
    """Return what a reliability diagram shows: count, mean confidence and accuracy of equal bins of
    0-1.

    Empty bins have None.
    """
    which = np.clip(np.ceil(np.asarray(confidence, np.float64) * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(which, minlength=bins)
    sums = [np.bincount(which, weights=each, minlength=bins) for each in (confidence, correct)]
    means = [
        [float(total / count) if count else None for total, count in zip(each, counts, strict=True)]
        for each in sums
    ]
    return {"count": counts.tolist(), "confidence": means[0], "accuracy": means[1]}


def equal_mass_calibration_error(confidence: FloatArray, correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the calibration error over bins of equal numbers of rows (Nixon et al. 2019)."""
    if not len(confidence):
        return math.nan
    order = np.argsort(confidence, kind="stable")
    gap = np.asarray(confidence, np.float64)[order] - np.asarray(correct, np.float64)[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gap, bins)) / len(order))


def calibration_error_if_exact(confidence: FloatArray) -> tuple[float, float, float]:
    """Return what the calibration error would be by chance alone, were every confidence exactly
    right.

    The error is a mean of absolute values, so it is above 0 for any finite number of rows. Found by
    drawing right and wrong answers with these confidences, always the same draws.

    Args: confidence: (N,), 0-1.
    Returns: mean, 2.5 % and 97.5 % point; nan when N is 0.
    """
    if not len(confidence):
        return math.nan, math.nan, math.nan
    rng = np.random.default_rng(_DRAW_SEED)
    chance = np.asarray(confidence, np.float64)
    errors = [expected_calibration_error(chance, rng.random(len(chance)) < chance) for _ in range(_DRAWS)]
    low, high = np.percentile(errors, (2.5, 97.5))
    return float(np.mean(errors)), float(low), float(high)


@dataclass(frozen=True)
class VoteAgreement:
    """It says how well predictions fit the taggers' votes, over the rows that have votes.

    Attributes:
        count: number of those rows.
        predicted_share: mean share (0-1) of the votes that are for the predicted expression.
        leader_share: the same for the expression with most votes: no prediction can do better.
        cross_entropy: mean of -sum(votes * log(probability)), in nats.
        divergence: mean Kullback-Leibler divergence of the probabilities from the votes: the
            cross-entropy above what the taggers' own disagreement makes unavoidable, in nats.
    """

    count: int
    predicted_share: float
    leader_share: float
    cross_entropy: float
    divergence: float


def vote_agreement(
    shares: FloatArray, probabilities: FloatArray, predicted: IntArray, *, nameable: int
) -> VoteAgreement:
    """Compare predictions with vote shares.

    Args:
        shares: (N, K), rows sum to 1, or to 0 where there are no votes.
        probabilities: (N, K), rows sum to 1.
        predicted: (N,), the expression named, a column of `shares`.
        nameable: number of first columns that may be named; the others are "unknown" and
            "not-a-face".
    """
    voted = shares.sum(axis=1) > 0
    votes = np.asarray(shares, np.float64)[voted]
    if not len(votes):
        return VoteAgreement(0, math.nan, math.nan, math.nan, math.nan)
    logs = np.log(np.maximum(np.asarray(probabilities, np.float64)[voted], 1e-12))
    cross_entropy = -(votes * logs).sum(axis=1).mean()
    entropy = -(votes * np.log(np.where(votes > 0, votes, 1.0))).sum(axis=1).mean()
    return VoteAgreement(
        count=len(votes),
        predicted_share=float(votes[np.arange(len(votes)), predicted[voted]].mean()),
        leader_share=float(votes[:, :nameable].max(axis=1).mean()),
        cross_entropy=float(cross_entropy),
        divergence=float(cross_entropy - entropy),
    )

"""A temperature fitted to probabilities, and how far confidence is from the share that is right. Pure.

Guo et al. 2017, "On calibration of modern neural networks".
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_COLDEST, _HOTTEST = 0.05, 20.0
_STEPS: Final = 60
_BINS: Final = 15
_TINY: Final = 1e-9
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Calibration:
    """A calibration says what a temperature does to confidences.

    Attributes:
        temperature: fitted to all rows.
        count: rows.
        ece_before: expected calibration error, 0-1; `ece_after` is that of each half of the rows with a
            temperature fitted to the other half, so that no row judges itself.
        nll_before: mean negative log-likelihood; `nll_after` likewise.
        confidence_before: mean; `confidence_after` likewise. accuracy: share of rows that are right.
    """

    temperature: float
    count: int
    ece_before: float
    ece_after: float
    nll_before: float
    nll_after: float
    confidence_before: float
    confidence_after: float
    accuracy: float


def calibrate(logits: NDArray[np.floating], truth: NDArray[np.integer]) -> Calibration:
    """Fit a temperature to logits (N, K) and truth (N,), positions in 0-K; N is at least 2."""
    order = np.random.default_rng(0).permutation(len(truth))
    cooled = np.empty_like(np.asarray(logits, np.float64))
    for part, other in (order[::2], order[1::2]), (order[1::2], order[::2]):
        cooled[part] = tempered(logits[part], fit_temperature(logits[other], truth[other]))
    before = tempered(logits, 1.0)
    return Calibration(
        temperature=fit_temperature(logits, truth),
        count=len(truth),
        ece_before=calibration_error(before, truth),
        ece_after=calibration_error(cooled, truth),
        nll_before=_loss(before, truth),
        nll_after=_loss(cooled, truth),
        confidence_before=float(before.max(axis=1).mean()),
        confidence_after=float(cooled.max(axis=1).mean()),
        accuracy=float(np.mean(before.argmax(axis=1) == truth)),
    )


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """The temperature of least negative log-likelihood, 0.05 to 20, by golden-section search."""
    low, high = math.log(_COLDEST), math.log(_HOTTEST)
    for _ in range(_STEPS):
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        losses = (_loss(tempered(logits, math.exp(each)), truth) for each in (first, second))
        low, high = (low, second) if next(losses) <= next(losses) else (first, high)
    return math.exp((low + high) / 2)


def tempered(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Probabilities (N, K) of logits that are divided by a temperature."""
    scaled = np.asarray(logits, np.float64) / temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float64)


def calibration_error(scores: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    """Expected calibration error, 0-1, of 15 bins of confidence with equal widths."""
    confidence, is_right = scores.max(axis=1), scores.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, is_right - confidence, _BINS)
    return float(np.abs(gaps).sum() / len(truth))


def _loss(scores: NDArray[np.floating], truth: NDArray[np.integer]) -> float:
    return float(-np.log(np.clip(scores[np.arange(len(truth)), truth], _TINY, None)).mean())

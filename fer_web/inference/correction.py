"""Corrects the shown scores for one person, by bounded numbers that are added to seven logits.

A logit is the logarithm of a score here, up to a number that all seven share. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ProtocolError
from fer_web.labels import EMOTIONS
from fer_web.vision.smoothing import LEAST_SCORE

MAX_OFFSET: Final = 2.0
"""No correction shifts a logit further: a score of 0.9 beside one of 0.1 stays ahead."""

RESTING_BOUND: Final = 0.8
RESTING_MARGIN: Final = 0.1
RESTING_QUANTILE: Final = 0.75
"""A resting face: each other expression is lowered until this share of the views has neutral ahead of it by
the margin, and no further than the bound. `python -m benchmarks.resting_face` measures it."""

RESTING_ENOUGH: Final = 0.9
"""Where so many views are called neutral already, nothing is corrected."""

FEWEST_VIEWS: Final = 12
"""Half a second of a slow camera says nothing about a face."""

FEWEST_SHOWN: Final = 3
LEAST_GAIN: Final = 0.03
"""A check needs so many expressions. A correction that names so much more of the views right helps."""

RIDGE: Final = 0.1
NEWTON_STEPS: Final = 12

NEUTRAL: Final = EMOTIONS.index("neutral")

Views = NDArray[np.float32]
"""float32 (N, 7): raw scores of one face in N frames, 0-1 in the order of EMOTIONS, rows sum to 1."""


@dataclass(frozen=True)
class Correction:
    """What is added to the logits of one person's face, in the order of EMOTIONS; within MAX_OFFSET of 0.

    Raises: ProtocolError: there are not seven numbers, or one is out of its bounds.
    """

    offsets: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is out of bounds, so that an invalid value cannot travel."""
        # One comparison refuses NaN and infinities too.
        fits = all(-MAX_OFFSET <= value <= MAX_OFFSET for value in self.offsets)
        if len(self.offsets) != len(EMOTIONS) or not fits:
            raise ProtocolError(
                f"A correction has {len(EMOTIONS)} numbers from -{MAX_OFFSET:g} to {MAX_OFFSET:g}; "
                f"{list(self.offsets)!r:.90} came."
            )

    def applied_to(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return corrected scores, float32 (..., 7), rows sum to 1. Args: scores: of the same shape."""
        scaled = scores * np.exp(np.asarray(self.offsets, np.float32))
        return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True), np.float32)


@dataclass(frozen=True)
class RestingFace:
    """A person's face at rest.

    Attributes:
        views: how many frames it was seen in.
        called: the expression that most of them were called.
        before, after: the share of the views that is called neutral, 0-1.
        correction: None where none is needed, or none within the bound helps.
    """

    views: int
    called: str
    before: float
    after: float
    correction: Correction | None


@dataclass(frozen=True)
class Check:
    """What a person's expressions are taken for.

    Attributes:
        table: for each expression that was shown, the share of its views that was called each of EMOTIONS.
        before: mean share of the views that is called right, over the expressions that were shown.
        after: the same with a correction that was fitted on the other half of each take.
        correction: fitted on all views; None where `after` gains too little.
    """

    table: Mapping[str, tuple[float, ...]]
    before: float
    after: float
    correction: Correction | None


def resting_face(views: Views) -> RestingFace:
    """Judge a face at rest, and correct it where something else than neutral is seen in it.

    The correction lowers other expressions only, so that nothing becomes easier to take for an expression.

    Args: views: (N, 7), N at least 1.
    """
    called = views.argmax(axis=1)
    before = float((called == NEUTRAL).mean())
    most = EMOTIONS[int(np.bincount(called, minlength=len(EMOTIONS)).argmax())]
    correction = Correction(_resting_offsets(views))
    after = _share_called(correction.applied_to(views), NEUTRAL)
    if before >= RESTING_ENOUGH or after < before + LEAST_GAIN:
        return RestingFace(len(views), most, before, before, None)
    return RestingFace(len(views), most, before, after, correction)


def _resting_offsets(views: Views) -> tuple[float, ...]:
    logits = _logits(views)
    ahead = np.quantile(logits - logits[:, [NEUTRAL]], RESTING_QUANTILE, axis=0)
    offsets = -np.clip(ahead + RESTING_MARGIN, 0, RESTING_BOUND)
    offsets[NEUTRAL] = 0
    return _numbers(offsets)


def check(takes: Mapping[str, Views]) -> Check:
    """Judge what a person's expressions are taken for, and fit a correction where it helps.

    Each take is cut in two, by time. A correction of the first halves is tried on the second, and the
    other way round: only if it gains LEAST_GAIN there, one of all views is offered.

    Args: takes: views of each expression that was shown, in the order of time, at least FEWEST_VIEWS each.
    """
    table = {
        emotion: tuple(float(_share_called(views, label)) for label in range(len(EMOTIONS)))
        for emotion, views in takes.items()
    }
    before = _mean_right(takes, None)
    if len(takes) < FEWEST_SHOWN:
        return Check(table, before, before, None)
    halves = [
        {emotion: views[: len(views) // 2] for emotion, views in takes.items()},
        {emotion: views[len(views) // 2 :] for emotion, views in takes.items()},
    ]
    crossed = [
        _mean_right(other, fit_correction(half)) for half, other in zip(halves, halves[::-1], strict=True)
    ]
    after = float(np.mean(crossed))
    return Check(table, before, after, fit_correction(takes) if after >= before + LEAST_GAIN else None)


def fit_correction(takes: Mapping[str, Views]) -> Correction:
    """Fit offsets by which the views of each take are named right: a multinomial logistic regression.

    It has a bias alone, each expression counts the same, and RIDGE draws the offsets towards 0 (Newton's
    method; Hastie, Tibshirani, Friedman, "The elements of statistical learning", 4.4). Expressions that were
    not shown keep 0.
    """
    logits = np.concatenate([_logits(views) for views in takes.values()]).astype(np.float64)
    labels = np.concatenate(
        [np.full(len(views), EMOTIONS.index(emotion)) for emotion, views in takes.items()]
    )
    weights = np.concatenate([np.full(len(views), 1 / (len(views) * len(takes))) for views in takes.values()])
    wanted = np.bincount(labels, weights, len(EMOTIONS))
    is_shown = wanted > 0
    offsets = np.zeros(len(EMOTIONS))
    for _ in range(NEWTON_STEPS):
        shifted = np.exp(logits + offsets - (logits + offsets).max(axis=1, keepdims=True))
        shares = shifted / shifted.sum(axis=1, keepdims=True)
        weighted = shares * weights[:, None]
        gradient = weighted.sum(axis=0) - wanted + RIDGE * offsets
        curvature = np.diag(weighted.sum(axis=0) + RIDGE) - shares.T @ weighted
        step = np.linalg.solve(curvature[np.ix_(is_shown, is_shown)], gradient[is_shown])
        offsets[is_shown] = np.clip(offsets[is_shown] - step, -MAX_OFFSET, MAX_OFFSET)
    return Correction(_numbers(offsets))


def _numbers(offsets: NDArray[np.floating]) -> tuple[float, ...]:
    """Return what travels and is kept: short numbers, none of them -0."""
    return tuple(round(float(value), 4) + 0.0 for value in offsets)


def _mean_right(takes: Mapping[str, Views], correction: Correction | None) -> float:
    shares = [
        _share_called(views if correction is None else correction.applied_to(views), EMOTIONS.index(emotion))
        for emotion, views in takes.items()
    ]
    return float(np.mean(shares)) if shares else 0.0


def _share_called(scores: NDArray[np.float32], label: int) -> float:
    return float((scores.argmax(axis=1) == label).mean())


def _logits(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.log(np.maximum(scores, LEAST_SCORE))


def correction_of(offsets: Mapping[str, float]) -> Correction:
    """Return the correction of these numbers by name. Raises ProtocolError: one lacks, or is unknown."""
    if set(offsets) != set(EMOTIONS):
        raise ProtocolError(
            f"offsets must name {', '.join(EMOTIONS)}; {sorted(map(str, offsets))!r:.90} came."
        )
    return Correction(tuple(offsets[name] for name in EMOTIONS))


def offsets_by_name(offsets: Sequence[float]) -> dict[str, float]:
    """Return seven numbers by the names of EMOTIONS."""
    return dict(zip(EMOTIONS, offsets, strict=True))

"""Summarises a whole session: smoothed, in strips, shares, transitions and peaks. Pure NumPy."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_web.history.types import NOT_TOLD, SampleTable
from fer_web.inference.affect import intensity, valence_arousal
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS

UNSURE = -1
"""Stands where a position in EMOTIONS would, when no expression was named."""
DWELL_S = 0.5
"""An expression counts as reached when it lasts this long: shorter ones are mostly noise of single frames."""
MIN_GAP_S = 0.5
"""Shorter times without a face are not listed."""
_MAX_HOLD_S = 1.0
_EPSILON_S = 1e-6


@dataclass(frozen=True)
class Interval:
    """A time in which a face kept one label. `label`: a position in EMOTIONS, or UNSURE."""

    from_s: float
    to_s: float
    label: int


@dataclass(frozen=True)
class Peak:
    """The highest score that an expression had. `label`: a position in EMOTIONS; `score`: 0-1."""

    label: int
    at_s: float
    face: int
    score: float


@dataclass(frozen=True)
class Summary:
    """A session, or one face of it, as a whole.

    Attributes:
        face_present_share: part of the session's length with at least one face, 0-1.
        unsure_share: part of the faces' time in which no expression was named, 0-1.
        shares: float64 (7,), parts of the faces' time with each expression; with unsure_share they sum to 1.
        transitions: int64 (7, 7), how often the row's expression was followed by the column's.
        peaks: one for each expression; empty without samples.
        strips: for each face its intervals, in the order of time.
        gaps: (from_s, to_s) without any face.
        unsure_reasons: float64 (len(REASONS),), parts of the faces' time in which each was told, 0-1.
        affect: valence (-1 to 1), arousal (-1 to 1), intensity (0-1): means of the faces' time; None without.
    """

    length_s: float
    face_present_share: float
    unsure_share: float
    shares: NDArray[np.float64]
    transitions: NDArray[np.int64]
    peaks: tuple[Peak, ...]
    strips: dict[int, tuple[Interval, ...]]
    gaps: tuple[tuple[float, float], ...]
    unsure_reasons: NDArray[np.float64]
    affect: tuple[float, float, float] | None = None


def summarise(table: SampleTable, *, length_s: float, sample_hz: float) -> Summary:
    """Sum a session up.

    A sample stands for the time until the face's next one. After a silence of more than max_hold_s() the face
    was away: its last sample then stands for one sampling period.

    Args:
        table: of one session, smoothed or not; one face or all.
        length_s: of the session.
        sample_hz: how often each face was sampled.
    """
    holds = _Holds.of(table, sample_hz)
    runs = _Runs.of(holds)
    time_of_label = np.bincount(runs.label + 1, runs.to_s - runs.from_s, len(EMOTIONS) + 1)
    shares = time_of_label / max(time_of_label.sum(), _EPSILON_S)
    gaps = _gaps(runs.from_s, runs.to_s, length_s)
    absent_s = sum(to_s - from_s for from_s, to_s in gaps)
    return Summary(
        length_s=length_s,
        face_present_share=float(np.clip(1 - absent_s / length_s, 0, 1))
        if length_s > 0
        else float(len(table) > 0),
        unsure_share=float(shares[0]),
        shares=shares[1:],
        transitions=_transitions(runs),
        peaks=_peaks(table),
        strips=_strips(runs),
        gaps=tuple(gap for gap in gaps if gap[1] - gap[0] >= MIN_GAP_S),
        unsure_reasons=_reason_shares(table, holds),
        affect=_mean_affect(table, holds),
    )


def smooth(table: SampleTable, smoothing_s: float, *, sample_hz: float) -> SampleTable:
    """The same samples, each score the mean of its face's within `smoothing_s` around it.

    A centred mean does not shift what it smooths; it never reaches over a time in which the face was away.
    The label is the highest mean; a face is sure where at least half of the averaged samples were. What is
    stored stays as it was.
    """
    if smoothing_s <= 0 or len(table) == 0:
        return table
    holds = _Holds.of(table, sample_hz)
    first, last = _window(holds, smoothing_s / 2)
    scores = _means(table.scores[holds.order], first, last)
    sure = _means(table.is_sure[holds.order, None], first, last)[:, 0] >= 0.5
    back = np.argsort(holds.order)
    return replace(
        table,
        scores=scores[back].astype(np.float32),
        label=scores[back].argmax(axis=1).astype(np.int8),
        confidence=scores[back].max(axis=1).astype(np.float32),
        is_sure=sure[back],
        rival=np.where(sure[back], NOT_TOLD, table.rival).astype(np.int8),
        reason=np.where(sure[back], NOT_TOLD, table.reason).astype(np.int8),
    )


def max_hold_s(sample_hz: float) -> float:
    """A face that was not sampled for longer than this was away."""
    return max(_MAX_HOLD_S, 2.5 / sample_hz)


@dataclass(frozen=True)
class _Holds:
    """Samples by face, then time: how long each one stands for.

    order: positions in the table; visit: counts up where a face begins or comes back.
    """

    order: NDArray[np.int64]
    face: NDArray[np.int32]
    label: NDArray[np.int64]
    from_s: NDArray[np.float64]
    to_s: NDArray[np.float64]
    visit: NDArray[np.int64]

    @classmethod
    def of(cls, table: SampleTable, sample_hz: float) -> "_Holds":
        order = np.lexsort((table.at_s, table.face))
        face, at_s = table.face[order], table.at_s[order]
        goes_on = (np.diff(face) == 0) & (np.diff(at_s) <= max_hold_s(sample_hz))
        to_s = at_s + 1 / sample_hz
        to_s[:-1][goes_on] = at_s[1:][goes_on]
        label = np.where(table.is_sure, table.label, UNSURE)[order].astype(np.int64)
        visit = np.concatenate(([0], np.cumsum(~goes_on)))[: len(order)]
        return cls(order, face, label, at_s, to_s, visit)


@dataclass(frozen=True)
class _Runs:
    """Neighbouring samples of a visit with the same label, as one: columns of equal length."""

    face: NDArray[np.int32]
    label: NDArray[np.int64]
    from_s: NDArray[np.float64]
    to_s: NDArray[np.float64]
    visit: NDArray[np.int64]

    @classmethod
    def of(cls, holds: _Holds) -> "_Runs":
        changes = (np.diff(holds.visit) != 0) | (np.diff(holds.label) != 0)
        begins = np.concatenate(([True], changes))[: len(holds.face)]
        ends = np.concatenate((changes, [True]))[: len(holds.face)]
        return cls(
            holds.face[begins],
            holds.label[begins],
            holds.from_s[begins],
            holds.to_s[ends],
            holds.visit[begins],
        )


def _window(holds: _Holds, half_s: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Visits are laid one after the other on one axis, too far apart for a window to reach the next one.
    apart_s = float(np.ptp(holds.from_s)) + 4 * half_s + 1
    axis = holds.from_s - holds.from_s.min() + holds.visit * apart_s
    first = np.searchsorted(axis, axis - half_s - _EPSILON_S, "left")
    return first, np.searchsorted(axis, axis + half_s + _EPSILON_S, "right")


def _means(
    values: NDArray[np.generic], first: NDArray[np.int64], last: NDArray[np.int64]
) -> NDArray[np.float64]:
    sums = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])


def _transitions(runs: _Runs) -> NDArray[np.int64]:
    lasting = (runs.label != UNSURE) & (runs.to_s - runs.from_s >= DWELL_S - _EPSILON_S)
    label, visit = runs.label[lasting], runs.visit[lasting]
    moved = (np.diff(visit) == 0) & (np.diff(label) != 0)
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(counts, (label[:-1][moved], label[1:][moved]), 1)
    return counts


def _peaks(table: SampleTable) -> tuple[Peak, ...]:
    if len(table) == 0:
        return ()
    rows = table.scores.argmax(axis=0)
    return tuple(
        Peak(label, float(table.at_s[row]), int(table.face[row]), float(table.scores[row, label]))
        for label, row in enumerate(rows)
    )


def _mean_affect(table: SampleTable, holds: _Holds) -> tuple[float, float, float] | None:
    if len(table) == 0:
        return None
    scores = np.average(table.scores[holds.order], axis=0, weights=holds.to_s - holds.from_s)
    valence, arousal = valence_arousal(scores).tolist()
    return valence, arousal, float(intensity(scores))


def _reason_shares(table: SampleTable, holds: _Holds) -> NDArray[np.float64]:
    lasting_s = holds.to_s - holds.from_s
    told = np.where(table.is_sure, NOT_TOLD, table.reason)[holds.order] + 1
    time_of_reason = np.bincount(told, lasting_s, len(REASONS) + 1)
    return np.asarray(time_of_reason[1:] / max(lasting_s.sum(), _EPSILON_S))


def _strips(runs: _Runs) -> dict[int, tuple[Interval, ...]]:
    strips: dict[int, list[Interval]] = {}
    columns = (runs.face.tolist(), runs.from_s.tolist(), runs.to_s.tolist(), runs.label.tolist())
    for face, from_s, to_s, label in zip(*columns, strict=True):
        strips.setdefault(face, []).append(Interval(from_s, to_s, label))
    return {face: tuple(intervals) for face, intervals in strips.items()}


def _gaps(
    from_s: NDArray[np.float64], to_s: NDArray[np.float64], length_s: float
) -> list[tuple[float, float]]:
    order = np.argsort(from_s)
    seen_until = np.maximum.accumulate(np.concatenate(([0.0], to_s[order])))
    next_from = np.concatenate((from_s[order], [length_s]))
    empty = next_from > seen_until
    return list(zip(seen_until[empty].tolist(), next_from[empty].tolist(), strict=True))

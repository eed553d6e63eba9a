"""Makes what the history's addresses answer: types of the history -> JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.history.export import utc_text
from fer_web.history.summary import DWELL_S, UNSURE, Interval, Summary
from fer_web.history.types import Marker, SampleTable, Session, SessionFace
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS

_FOURTH_DECIMALS = np.array([f"{number / 10_000:g}" for number in range(10_001)], object)
"""The text of every probability that has four decimals: looked up, 54,000 rows take 0.1 s instead of 0.5."""

_ROWS_OF_PART = 20_000
"""Values of one part of an answer: 200 kB of text."""


def session_to_wire(session: Session, owner: str) -> dict[str, Any]:
    """A session as it stands in the list. `owner`: who asks."""
    return {
        "id": session.id,
        "name": session.name,
        "state": session.state,
        "source": session.source,
        "started_at": utc_text(session),
        "length_s": session.length_s,
        "faces": session.faces,
        "samples": session.samples,
        "dominant": _dominant(session.strip),
        "strip": [_label_text(part) for part in session.strip] or [None] * 60,
        "tags": list(session.tags),
        "notes": session.notes,
        "mine": session.owner == owner,
    }


def details_to_wire(session: Session, faces: Iterable[SessionFace], owner: str) -> dict[str, Any]:
    """A session as its own page needs it."""
    return {
        **session_to_wire(session, owner),
        "labels": list(EMOTIONS),
        "sample_hz": session.sample_hz,
        "model": {"name": session.model_name, "hash": session.model_hash},
        "settings": session.settings,
        "markers": [marker_to_wire(marker) for marker in session.markers],
        "face_list": [vars(face) for face in faces],
    }


def marker_to_wire(marker: Marker) -> dict[str, Any]:
    """A marker."""
    return {"id": marker.id, "at_s": marker.at_s, "text": marker.text}


def samples_to_wire(table: SampleTable, *, with_boxes: bool = False, step_s: float = 0.0) -> Iterator[bytes]:
    """Samples in columns, as JSON text in parts; times to the millisecond, probabilities to four decimals.

    Args: step_s: seconds that one of them stands for, where they were thinned.
    """
    yield f'{{"step_s":{step_s:.3f},'.encode() if step_s else b"{"
    yield from _column("at_s", table.at_s, lambda values: _numbers(values.round(3)))
    yield from _column("face", table.face, _numbers, before=",")
    yield from _column("label", table.label, _numbers, before=",")
    yield from _column("confidence", table.confidence, _probabilities, before=",")
    yield from _column("sure", table.is_sure, lambda values: _numbers(values.astype(np.int8)), before=",")
    yield b',"scores":{'
    for number, (name, values) in enumerate(zip(EMOTIONS, table.scores.T, strict=True)):
        yield from _column(name, values, _probabilities, before="," if number else "")
    yield b"}"
    if with_boxes:
        to_text = lambda values: _numbers(values.astype(np.float64).round(4))  # noqa: E731  # one line
        yield from _column("box", table.box, to_text, before=",")
    yield b"}"


def _column(
    name: str, values: NDArray[Any], to_text: Callable[[NDArray[Any]], str], before: str = ""
) -> Iterator[bytes]:
    yield f'{before}"{name}":['.encode()
    for first in range(0, len(values), _ROWS_OF_PART):
        text = to_text(values[first : first + _ROWS_OF_PART])[1:-1]
        yield f"{',' if first else ''}{text}".encode()
    yield b"]"


def summary_to_wire(summary: Summary) -> dict[str, Any]:
    """A session as a whole."""
    return {
        "length_s": summary.length_s,
        "face_present_share": round(summary.face_present_share, 4),
        "unsure_share": round(summary.unsure_share, 4),
        "unsure_reasons": {
            name: round(float(share), 4) for name, share in zip(REASONS, summary.unsure_reasons, strict=True)
        },
        "shares": dict(zip(EMOTIONS, summary.shares.round(4).tolist(), strict=True)),
        **_affect_to_wire(summary.affect),
        "transitions": {
            "labels": list(EMOTIONS),
            "counts": summary.transitions.tolist(),
            "dwell_s": DWELL_S,
        },
        "peaks": [
            {
                "label": EMOTIONS[peak.label],
                "at_s": round(peak.at_s, 3),
                "face": peak.face,
                "score": round(peak.score, 4),
            }
            for peak in summary.peaks
        ],
        "strips": {
            str(face): [_interval_to_wire(interval) for interval in intervals]
            for face, intervals in summary.strips.items()
        },
        "gaps": [{"from_s": round(from_s, 3), "to_s": round(to_s, 3)} for from_s, to_s in summary.gaps],
    }


def _affect_to_wire(affect: tuple[float, float, float] | None) -> dict[str, float | None]:
    names = ("valence", "arousal", "intensity")
    if affect is None:
        return dict.fromkeys(names)
    return {name: round(value, 4) for name, value in zip(names, affect, strict=True)}


def _interval_to_wire(interval: Interval) -> dict[str, Any]:
    return {
        "from_s": round(interval.from_s, 3),
        "to_s": round(interval.to_s, 3),
        "label": _label_text(interval.label),
    }


def _label_text(label: int | None) -> str | None:
    if label is None:
        return None
    return "unsure" if label == UNSURE else EMOTIONS[label]


def _dominant(strip: Sequence[int | None]) -> str | None:
    """Return what most parts of the strip show; an expression rather than "unsure" if any."""
    named = [part for part in strip if part is not None and part != UNSURE]
    if not named:
        return "unsure" if UNSURE in strip else None
    return EMOTIONS[int(np.bincount(named).argmax())]


def _numbers(values: NDArray[Any]) -> str:
    return json.dumps(values.tolist(), separators=(",", ":"))


def _probabilities(values: NDArray[np.float32]) -> str:
    places = np.clip(np.rint(values.astype(np.float64) * 10_000), 0, 10_000).astype(np.int64)
    return "[" + ",".join(_FOURTH_DECIMALS[places].tolist()) + "]"

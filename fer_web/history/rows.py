"""Rows of the database <-> types of the history."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from fer_web.errors import InvalidValueError
from fer_web.history.sample_tables import told
from fer_web.history.types import Marker, Person, Sample, SampleTable, Session
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS
from fer_web.storage.times import utc_of

STRIP_PARTS = 60
UNSURE = -1
_STRIP_LETTERS: dict[int | None, str] = {**{i: str(i) for i in range(len(EMOTIONS))}, UNSURE: "u", None: "-"}
_STRIP_VALUES = {letter: value for value, letter in _STRIP_LETTERS.items()}

_MEASURED = np.dtype("<f4")
"""Scores (7), box (4) and confidence (1) of a sample, one after the other. As one column they take half the
space of twelve (3.9 against 7.6 MB for 54,000 rows) and are read twice as fast (0.10 against 0.24 s)."""
_COLUMNS = len(EMOTIONS) + 5


def samples_to_rows(key: int, samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Rows of samples for the session with this key. Raises InvalidValueError: no measurement."""
    if not samples:
        return []
    if any(len(s.scores) != len(EMOTIONS) or len(s.box) != 4 for s in samples):
        raise InvalidValueError(f"A sample has {len(EMOTIONS)} scores and 4 numbers for its box.")
    measured = np.array([(*s.scores, *s.box, s.confidence) for s in samples], _MEASURED)
    return _rows(
        key,
        np.array([s.at_s for s in samples], np.float64),
        np.array([s.face for s in samples], np.int64),
        np.array([s.label for s in samples], np.int64),
        np.array([s.is_sure for s in samples], np.bool_),
        told([s.rival for s in samples]),
        told([s.reason for s in samples]),
        measured,
    )


def table_to_rows(key: int, table: SampleTable) -> list[dict[str, Any]]:
    """Rows of a table for the session with this key. Raises InvalidValueError: no measurement."""
    measured = np.concatenate([table.scores, table.box, table.confidence[:, None]], axis=1).astype(_MEASURED)
    return _rows(
        key,
        table.at_s,
        table.face.astype(np.int64),
        table.label,
        table.is_sure,
        table.rival,
        table.reason,
        measured,
    )


def _rows(
    key: int,
    at_s: NDArray[np.float64],
    face: NDArray[np.int64],
    label: NDArray[Any],
    is_sure: NDArray[np.bool_],
    rival: NDArray[np.int8],
    reason: NDArray[np.int8],
    measured: NDArray[np.float32],
) -> list[dict[str, Any]]:
    is_valid = (
        np.isfinite(measured).all() and np.isfinite(at_s).all() and (at_s >= 0).all()
        and (label >= 0).all() and (label < len(EMOTIONS)).all()
        and (face >= 0).all() and (face < 2**31).all()
        and (rival < len(EMOTIONS)).all() and (reason < len(REASONS)).all()
    )  # fmt: skip
    if not is_valid:
        raise InvalidValueError("A sample has a time, face, label or measured value that is out of range.")
    columns = zip(
        np.round(at_s * 1000).astype(np.int64).tolist(),
        face.tolist(),
        label.tolist(),
        is_sure.tolist(),
        _nullable(rival),
        _nullable(reason),
        (row.tobytes() for row in measured),
        strict=True,
    )
    names = ("at_ms", "face", "label", "is_sure", "rival", "reason", "measured")
    return [{"session": key, **dict(zip(names, values, strict=True))} for values in columns]


def _nullable(positions: NDArray[np.int8]) -> list[int | None]:
    return [None if each < 0 else each for each in positions.tolist()]


def rows_to_table(rows: Sequence[Row[Any]]) -> SampleTable:
    """Columns of rows (at_ms, face, label, is_sure, rival, reason, measured)."""
    columns = zip(*rows, strict=True) if rows else ((),) * 7
    at_ms, face, label, is_sure, rival, reason, packed = columns
    measured = np.frombuffer(b"".join(packed), _MEASURED).reshape(-1, _COLUMNS).astype(np.float32)
    seven = len(EMOTIONS)
    return SampleTable(
        at_s=np.array(at_ms, np.int64) / 1000,
        face=np.array(face, np.int32),
        box=measured[:, seven : seven + 4],
        scores=measured[:, :seven],
        label=np.array(label, np.int8),
        confidence=measured[:, seven + 4],
        is_sure=np.array(is_sure, np.bool_),
        rival=told(rival),
        reason=told(reason),
    )


def row_to_session(
    row: Row[Any], tags: Iterable[str], markers: Iterable[Marker] = (), people: Iterable[Person] = ()
) -> Session:
    """A session from its row, its tags, its markers and its people."""
    return Session(
        id=row.id,
        owner=row.owner,
        name=row.name,
        state=row.state,
        source=row.source,
        started_at=utc_of(row.started_ms),
        length_s=row.length_ms / 1000,
        faces=row.faces,
        samples=row.samples,
        strip=tuple(_STRIP_VALUES[letter] for letter in row.strip),
        notes=row.notes,
        tags=tuple(tags),
        model_name=row.model_name,
        model_hash=row.model_hash,
        sample_hz=row.sample_hz,
        settings=json.loads(row.settings),
        markers=tuple(markers),
        people=tuple(people),
    )


def row_to_marker(row: Row[Any]) -> Marker:
    """A marker from its row."""
    return Marker(row.id, row.at_ms / 1000, row.text)


def strip_of(counts: Iterable[tuple[int, int, bool, int]]) -> str:
    """The stored strip: what was shown most often in each part; empty parts are "-".

    Args: counts: (part, label, is_sure, samples); of equally frequent ones the first of EMOTIONS wins.
    """
    votes = np.zeros((STRIP_PARTS, len(EMOTIONS) + 1), np.int64)
    for part, label, is_sure, count in counts:
        votes[part, label if is_sure else len(EMOTIONS)] += count
    letters = "".join(_STRIP_LETTERS[label] for label in range(len(EMOTIONS))) + _STRIP_LETTERS[UNSURE]
    best = votes.argmax(axis=1)
    return "".join(letters[best[part]] if votes[part].any() else "-" for part in range(STRIP_PARTS))


def search_text(name: str, notes: str, tags: Iterable[str]) -> str:
    """Return the text that a search looks through."""
    return "\n".join([name, notes, *tags]).casefold()

"""Reads a JSON export back. Nothing is stored here: what comes out is whole and checked, or an error."""

import datetime
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast, get_args

import ijson
import numpy as np
from numpy.typing import NDArray

from fer_web.errors import ImportRefusedError
from fer_web.history.export import AFFECT_COLUMNS, JSON_COLUMNS, SCHEMA_VERSION, TOLD_COLUMNS
from fer_web.history.sample_tables import joined, rows_of
from fer_web.history.types import NOT_TOLD, Marker, Person, SampleTable, Session, SessionState
from fer_web.history.writing import MAX_AT_S
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS

MAX_IMPORT_BYTES = 400_000_000
"""Eight hours of ten faces, five samples a second, as we export them."""
MAX_IMPORT_SAMPLES = 1_500_000
MAX_IMPORT_FACES = 20_000
"""Somebody new every four seconds of a day. Each one has a row of its own on the session's page."""
_MAX_HEAD_VALUES = 20_000
_MAX_DEPTH = 20
_MAX_TEXT = 20_000
_MAX_BOX = 100.0
_ROUNDING = 1e-5
_CHUNK_ROWS = 5000
_LABEL_IDS = {name: label for label, name in enumerate(EMOTIONS)}
_REASON_IDS = {name: position for position, name in enumerate(REASONS)}
_UNKNOWN = NOT_TOLD - 1

_ROW_EVENTS = (*["number"] * 13, "string", "number", "boolean")
"""The parser reports these for the values of JSON_COLUMNS."""
_AFFECT_EVENTS = (*["number"] * 3, "string")
"""The same of AFFECT_COLUMNS."""
_EVENTS_OF_COLUMNS = {
    JSON_COLUMNS: _ROW_EVENTS,
    (*JSON_COLUMNS, *AFFECT_COLUMNS): (*_ROW_EVENTS, *_AFFECT_EVENTS),
    (*JSON_COLUMNS, *AFFECT_COLUMNS, *TOLD_COLUMNS): (*_ROW_EVENTS, *_AFFECT_EVENTS, "string", "string"),
}
_FIRST_NULLABLE = len(JSON_COLUMNS) + len(AFFECT_COLUMNS) - 1
"""From this position on, a value may be null."""

_Events = Iterator[tuple[str, Any]]


@dataclass(frozen=True)
class ImportLimits:
    """A file may have so much."""

    bytes: int
    samples: int


LOCAL_LIMITS = ImportLimits(4 * MAX_IMPORT_BYTES, 4 * MAX_IMPORT_SAMPLES)
"""For who has the server's command line, and its memory: a day and more."""


def read_export(file: IO[bytes], limits: ImportLimits | None = None) -> tuple[Session, SampleTable]:
    """A session and its samples from a JSON export; id and owner are those of the file, and not to be used.

    Args: limits: MAX_IMPORT_BYTES and MAX_IMPORT_SAMPLES by default.

    The file is parsed as it is read, with bounds on its values, depth and samples; a sample takes 56 bytes.

    Raises: ImportRefusedError: no JSON, not our form, of a newer program, cut short, or of impossible values.
    """
    try:
        limits = limits or ImportLimits(MAX_IMPORT_BYTES, MAX_IMPORT_SAMPLES)
        events = ijson.basic_parse(LimitedFile(file, limits.bytes), use_float=True)
        return _Reader(events, limits.samples).read()
    except (ijson.JSONError, ValueError, OverflowError) as exc:  # its parsers differ in what they raise
        reason = str(exc).strip().splitlines()[0][:200] if str(exc).strip() else "it cannot be parsed"
        raise ImportRefusedError(
            f"The file is no complete JSON: {reason}. Export the session again."
        ) from exc


class LimitedFile:
    """Stops reading where a file is larger than allowed."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._max_bytes = self._left = max_bytes

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises ImportRefusedError: they are too many."""
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ImportRefusedError(
                f"The file is larger than {self._max_bytes} bytes; none so large is read."
            )
        return data


class _Reader:
    """Reads the top level key by key, so that nothing but the samples can be long."""

    def __init__(self, events: _Events, max_samples: int) -> None:
        self._events = events
        self._max_samples = max_samples
        self._values_left = _MAX_HEAD_VALUES
        self._row_events: tuple[str, ...] = _ROW_EVENTS

    def read(self) -> tuple[Session, SampleTable]:
        head: dict[str, Any] = {}
        if next(self._events)[0] != "start_map":
            raise _not_ours("it does not begin with {")
        for event, key in self._events:
            if event == "end_map":
                break
            if key in head:
                raise _not_ours(f"{key[:40]!r} stands in it twice")
            head[key] = self._samples(head) if key == "samples" else self._value(next(self._events), 0)
            if key == "schema_version":
                _check_version(head[key])
        next(self._events, None)  # the parser refuses what follows the end
        return _checked(head)

    def _value(self, first: tuple[str, Any], depth: int) -> Any:
        event, value = first
        self._values_left -= 1
        is_long = event == "string" and len(value) > _MAX_TEXT
        if depth > _MAX_DEPTH or self._values_left < 0 or is_long:
            raise _not_ours("it holds more than any session does")
        if event == "start_map":
            return dict(self._pairs(depth))
        if event == "start_array":
            items = iter(self._events.__next__, ("end_array", None))
            return [self._value(item, depth + 1) for item in items]
        return value

    def _pairs(self, depth: int) -> Iterator[tuple[str, Any]]:
        for event, key in self._events:
            if event == "end_map":
                return
            yield key[:_MAX_TEXT], self._value(next(self._events), depth + 1)

    def _samples(self, head: dict[str, Any]) -> SampleTable:
        columns = head.get("columns")
        names = tuple(map(str, columns)) if isinstance(columns, list) else ()
        if "schema_version" not in head or names not in _EVENTS_OF_COLUMNS:
            raise _not_ours("before its samples, it names no schema_version or other columns")
        self._row_events = _EVENTS_OF_COLUMNS[names]
        if next(self._events)[0] != "start_array":
            raise _not_ours("its samples are no list")
        tables, count = [], 0
        while rows := self._rows(count):
            tables.append(checked_rows(rows, count))
            count += len(rows)
            if count > self._max_samples:
                raise ImportRefusedError(
                    f"The file has more than {self._max_samples} samples; files of up to so many are read."
                )
        return in_order(joined(tables)) if tables else checked_rows([], 0)

    def _rows(self, number: int) -> list[list[Any]]:
        """The next rows, up to _CHUNK_ROWS; none at the end."""
        rows: list[list[Any]] = []
        for event, _ in self._events:
            if event == "end_array":
                self._events = itertools.chain([(event, None)], self._events) if rows else self._events
                break
            if event != "start_array":
                raise _not_ours(f"sample {number + len(rows)} is no list")
            rows.append(self._row(number + len(rows)))
            if len(rows) == _CHUNK_ROWS:
                break
        return rows

    def _row(self, number: int) -> list[Any]:
        """The values of JSON_COLUMNS and TOLD_COLUMNS; what is derived is made anew where it is wanted."""
        row: list[Any] = []
        for wanted, (event, value) in zip((*self._row_events, "end_array"), self._events, strict=False):
            is_none = event == "null" and len(row) >= _FIRST_NULLABLE
            if event != wanted and not is_none:
                break
            row.append(value)
        if len(row) <= len(self._row_events):
            raise _not_ours(
                f"sample {number} does not hold {len(self._row_events)} values as the columns say"
            )
        told = row[len(_ROW_EVENTS) + len(_AFFECT_EVENTS) : -1] or [None, None]
        return [*row[: len(_ROW_EVENTS)], *told]


def _check_version(version: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _not_ours(f"its schema_version is {str(version)[:40]!r}")
    if version > SCHEMA_VERSION:
        raise ImportRefusedError(
            f"The file has schema_version {version}, made by a newer fer-web; this one reads up to "
            f"{SCHEMA_VERSION}. Update fer-web, or export from the newer one as CSV."
        )


def _checked(head: dict[str, Any]) -> tuple[Session, SampleTable]:
    table = head.get("samples")
    if table is None:
        raise _not_ours("it has no samples")
    if head.get("sample_count") != len(table):
        raise _not_ours(f"it holds {len(table)} samples and says {str(head.get('sample_count'))[:20]}")
    return _session_of(head.get("session")), table


def checked_rows(rows: list[list[Any]], first: int) -> SampleTable:
    """Checked columns of rows, each with the values of JSON_COLUMNS and TOLD_COLUMNS.

    Args: first: the number of the first one.
    """
    numbers = np.array([[*row[:13], row[14]] for row in rows], np.float64).reshape(-1, 14)
    label = np.array([_LABEL_IDS.get(row[13], -1) for row in rows], np.int8)
    told_columns = [_positions(rows, 16, _LABEL_IDS), _positions(rows, 17, _REASON_IDS)]
    at_s, face, probabilities = numbers[:, 0], numbers[:, 1], numbers[:, 6:]
    is_valid = (
        (label >= 0) & (at_s >= 0) & (at_s <= MAX_AT_S)
        & (face >= 0) & (face < 2**31) & (face == np.floor(face))
        & (np.abs(numbers[:, 2:6]) <= _MAX_BOX).all(axis=1)
        & ((probabilities >= 0) & (probabilities <= 1 + _ROUNDING)).all(axis=1)
        & (told_columns[0] > _UNKNOWN) & (told_columns[1] > _UNKNOWN)
    )  # fmt: skip
    if not is_valid.all():
        number = first + int(np.argmin(is_valid))
        raise _not_ours(f"sample {number} has a time, face, box, score or label that cannot be")
    return SampleTable(
        at_s,
        face.astype(np.int32),
        numbers[:, 2:6].astype(np.float32),
        numbers[:, 6:13].astype(np.float32),
        label,
        numbers[:, 13].astype(np.float32),
        np.array([row[15] for row in rows], np.bool_),
        *told_columns,
    )


def _positions(rows: list[list[Any]], column: int, known: dict[str, int]) -> NDArray[np.int8]:
    """Positions of names; NOT_TOLD for None and empty ones, _UNKNOWN for others."""
    return np.array([known.get(row[column], _UNKNOWN) if row[column] else NOT_TOLD for row in rows], np.int8)


def in_order(table: SampleTable) -> SampleTable:
    """Sort by time, then face. Raises ImportRefusedError: a face twice at a time, or too many."""
    at_ms = np.round(table.at_s * 1000)
    order = np.lexsort((table.face, at_ms))
    again = (np.diff(at_ms[order]) == 0) & (np.diff(table.face[order]) == 0)
    if again.any():
        raise _not_ours(f"a face has two samples at {at_ms[order][1:][again][0] / 1000} s")
    if len(np.unique(table.face)) > MAX_IMPORT_FACES:
        raise ImportRefusedError(f"The file has more than {MAX_IMPORT_FACES} faces; up to so many are read.")
    return rows_of(table, order)


def _session_of(values: Any) -> Session:
    """Return the file's session. The repository checks texts and limits when it stores them."""
    try:
        return Session(
            id="",
            owner="",
            name=values["name"],
            state=_state(values["state"]),
            source=values["source"],
            started_at=_utc(values["started_at"]),
            length_s=_number(values["length_s"]),
            faces=0,
            samples=0,
            strip=(),
            notes=values["notes"],
            tags=values["tags"],
            model_name=values["model"]["name"],
            model_hash=values["model"]["hash"],
            sample_hz=_number(values["sample_hz"]),
            settings=dict(values["settings"]),
            markers=tuple(Marker("", _number(item["at_s"]), item["text"]) for item in values["markers"]),
            people=tuple(_person(item) for item in values.get("people", ())),
        )
    except KeyError as exc:
        raise _not_ours(f"its session has no {exc.args[0]}") from exc
    except (TypeError, ValueError, OverflowError) as exc:
        raise _not_ours("its session has a time, number or list that cannot be") from exc


def _person(item: Any) -> Person:
    same_as = item["same_as"]
    return Person(_face(item["face"]), item["name"], None if same_as is None else _face(same_as))


def _face(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise TypeError(f"{str(value)[:40]!r} is no number of a face")
    return value


def _state(value: object) -> SessionState:
    for state in get_args(SessionState):
        if value == state:
            return cast(SessionState, state)
    raise ValueError(f"the state {str(value)[:40]!r}")


def _utc(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("started_at has no time zone")
    return moment.astimezone(datetime.UTC)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _not_ours(reason: str) -> ImportRefusedError:
    return ImportRefusedError(
        f"The file is no session of fer-web: {reason}. Take a file that was exported as JSON, unchanged."
    )

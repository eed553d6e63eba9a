"""Reads a CSV export back, with what it holds: samples, people and the time of the start."""

import csv
import datetime
import io
import math
from collections.abc import Iterator
from typing import IO, Any, Final

import numpy as np

from fer_web.errors import ImportRefusedError
from fer_web.history.export import JSON_COLUMNS, TOLD_COLUMNS
from fer_web.history.json_reader import ImportLimits, checked_rows, in_order
from fer_web.history.sample_tables import joined
from fer_web.history.session_texts import MAX_NAME
from fer_web.history.types import Person, SampleTable, Session
from fer_web.history.writing import MAX_SAMPLE_HZ, MIN_SAMPLE_HZ
from fer_web.labels import EMOTIONS
from fer_web.metrics.spreadsheet_text import plain_text

SOURCE: Final = "csv"
"""The history stores this as where such sessions come from."""

_SEPARATORS: Final = (",", ";", "\t")
"""Spreadsheets write the second one where the comma separates decimals."""

_NEEDED: Final = (*JSON_COLUMNS, "utc")
_NUMBERS: Final = JSON_COLUMNS[:13]
_ROWS_AT_ONCE: Final = 5000
_DEFAULT_HZ: Final = 5.0

_Row = dict[str, str]


def read_csv(file: IO[bytes], limits: ImportLimits) -> tuple[Session, SampleTable]:
    """A session and its samples from a CSV export, or from one that a spreadsheet saved again.

    Notes, tags, markers and the model's name are not in such a file. Args: file: UTF-8.
    Raises: ImportRefusedError: other columns, no row, or impossible values.
    """
    with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        try:
            return _read(text, limits.samples)
        except (csv.Error, UnicodeError) as exc:
            raise _not_ours(f"it cannot be read ({exc})") from exc


def _read(text: io.TextIOWrapper, max_samples: int) -> tuple[Session, SampleTable]:
    header = text.readline(10_000)
    separator = next((each for each in _SEPARATORS if set(_NEEDED) <= set(_names_in(header, each))), None)
    if separator is None:
        missing = [name for name in _NEEDED if name not in _names_in(header, ",")]
        raise _not_ours(f"its first line lacks the column {missing[0]!r}" if missing else "it has no columns")
    rows = csv.DictReader(text, _names_in(header, separator), delimiter=separator, restval="")
    tables: list[SampleTable] = []
    first, people = None, _People()
    for part in _portions(rows):
        first = first or part[0]
        unnamed = _empty_scores(first)
        people.add(part)
        values = [_values(row, separator, number, unnamed) for number, row in enumerate(part, _count(tables))]
        tables.append(checked_rows(values, _count(tables)))
        if _count(tables) > max_samples:
            raise ImportRefusedError(
                f"The file has more than {max_samples} samples; files of up to so many are read."
            )
    if first is None:
        raise _not_ours("it has no sample")
    table = in_order(joined(tables))
    return _session(first, float(tables[0].at_s[0]), table, people.known()), table


def _names_in(header: str, separator: str) -> list[str]:
    return next(csv.reader([header], delimiter=separator), [])


def _portions(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    part: list[_Row] = []
    for row in rows:
        part.append(row)
        if len(part) == _ROWS_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _count(tables: list[SampleTable]) -> int:
    return sum(map(len, tables))


def _values(row: _Row, separator: str, number: int, unnamed: list[str]) -> list[Any]:
    """A row's values in the order of JSON_COLUMNS and TOLD_COLUMNS, which older files lack.

    Those of `unnamed` expressions are empty, and become 0.
    """
    try:
        named = {name: row[name] for name in JSON_COLUMNS}
        if separator != ",":
            named = {name: text.replace(",", ".") for name, text in named.items()}
        named |= {name: "0" for name in unnamed if not named[name]}
        is_sure = {"1": True, "0": False}[named["sure"]]
        confidence = float(named["confidence"])
        told = [row.get(name) or None for name in TOLD_COLUMNS]
        return [*(float(named[name]) for name in _NUMBERS), named["label"], confidence, is_sure, *told]
    except (KeyError, ValueError, AttributeError, TypeError) as exc:
        raise _not_ours(f"sample {number} has a cell that cannot be") from exc


def _empty_scores(row: _Row) -> list[str]:
    """Expressions that the recording network could not name: their cells are empty in every row."""
    return [name for name in EMOTIONS if row.get(name) == ""]


class _People:
    """Collects who is who. A face with a name or a number of another person becomes one."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, str]] = {}

    def add(self, rows: list[_Row]) -> None:
        for row in rows:
            self._of.setdefault(row["face"], (row.get("person") or row["face"], row.get("name") or ""))

    def known(self) -> tuple[Person, ...]:
        """People with a name, and faces of the same person; of files before people, none."""
        try:
            faces = {int(face): (int(person), name) for face, (person, name) in self._of.items()}
        except ValueError as exc:
            raise _not_ours("a face or person has a number that cannot be") from exc
        names = {person: plain_text(name) for person, name in faces.values() if name}
        merged = {face: person for face, (person, _) in faces.items() if face != person}
        return tuple(
            Person(face, names.get(face, ""), merged.get(face)) for face in sorted({*names, *merged})
        )


def _session(first: _Row, first_s: float, table: SampleTable, people: tuple[Person, ...]) -> Session:
    name = plain_text(first.get("session") or "")[:MAX_NAME].strip()
    return Session(
        id="",
        owner="",
        name=name,
        state="finished",
        source=SOURCE,
        started_at=_moment(first["utc"]) - datetime.timedelta(seconds=first_s),
        length_s=float(table.at_s[-1]),
        faces=0,
        samples=0,
        strip=(),
        notes="",
        tags=(),
        model_name="",
        model_hash="",
        sample_hz=_rate(table),
        settings={"missing": missing} if (missing := _empty_scores(first)) else {},
        people=people,
    )


def _moment(text: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as exc:
        raise _not_ours(f"its first utc is {text[:40]!r}") from exc
    return moment.astimezone(datetime.UTC) if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _rate(table: SampleTable) -> float:
    """Samples a second of a face, by the usual gap between two of its samples."""
    gaps = [np.diff(table.at_s[table.face == face]) for face in np.unique(table.face)[:100]]
    gap_s = float(np.median(np.concatenate(gaps))) if any(map(len, gaps)) else 0.0
    if not gap_s or not math.isfinite(gap_s):
        return _DEFAULT_HZ
    return min(max(1 / gap_s, MIN_SAMPLE_HZ), MAX_SAMPLE_HZ)


def _not_ours(reason: str) -> ImportRefusedError:
    return ImportRefusedError(
        f"The file is no session of fer-web: {reason}. Take a file that was exported as JSON or as CSV."
    )

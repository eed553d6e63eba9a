"""A session as a file, made piece by piece: an hour of five faces needs no more memory than a minute."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fer_web import __version__
from fer_web.errors import InvalidValueError
from fer_web.history.delimited_files import (
    Column,
    affect_columns,
    columns_of,
    constant,
    emptied,
    header_of,
    label_names,
    lines_of,
    missing_in,
    scores_of,
    second_names,
    told_names,
    utc_texts,
)
from fer_web.history.parquet import check_parquet, parquet_file
from fer_web.history.people import People
from fer_web.history.profiles import facereader_log, openface_csv, pyfeat_csv
from fer_web.history.types import SampleTable, Session
from fer_web.labels import EMOTIONS
from fer_web.metrics.spreadsheet_text import csv_cell

SCHEMA_VERSION = 3
"""The JSON export has this version. It is raised when older programs could not read a new file."""

BOX_SIDES = ("left", "top", "width", "height")
AFFECT_COLUMNS = ("valence", "arousal", "intensity", "second")
"""These are derived from the scores: written for those who read the file, and left out by an import."""
JSON_COLUMNS = ("at_s", "face", *BOX_SIDES, *EMOTIONS, "label", "confidence", "sure")
"""These are stored; all that files of version 1 have. Those of version 2 have AFFECT_COLUMNS too."""
TOLD_COLUMNS = ("rival", "reason")
"""These are stored too: what an unsure face was told with."""
CSV_COLUMNS = (
    Column("at_s", "%.3f"),
    Column("utc", "%s"),
    Column("session"),
    Column("face", "%d"),
    *(Column(side, "%.6g") for side in BOX_SIDES),
    *(Column(emotion, "%.6f") for emotion in EMOTIONS),
    Column("label", "%s"),
    Column("confidence", "%.6f"),
    Column("sure", "%d"),
    Column("person", "%d"),
    Column("name", "%s"),
    *(Column(name, "%.6f") for name in AFFECT_COLUMNS[:3]),
    Column("second", "%s"),
    *(Column(name, "%s") for name in TOLD_COLUMNS),
)
# Nine significant digits name every float32 exactly; repr names every float64.
_JSON_ROW = ",".join(["[%r", "%d", *["%.9g"] * 11, '"%s"', "%.9g", "%s", *["%.4g"] * 3, *["%s"] * 2, "%s]"])

Write = Callable[[Session, Iterable[SampleTable]], Iterator[bytes]]


@dataclass(frozen=True)
class ExportFormat:
    """One kind of file. `write` yields its bytes; `check` raises where the format is not installed."""

    name: str
    suffix: str
    media_type: str
    write: Write
    check: Callable[[], None] = lambda: None


def export_format(name: str) -> ExportFormat:
    """The format of this name. Raises InvalidValueError: there is none, or what it needs is not installed."""
    if name not in FORMATS:
        raise InvalidValueError(f"There is no export format {name!r:.40}. Take one of: {', '.join(FORMATS)}.")
    FORMATS[name].check()
    return FORMATS[name]


def file_name(session: Session, wanted: ExportFormat) -> str:
    """A name for the file that every file system takes: date, time and the letters of the session's name."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", session.name).strip("-").lower()[:60]
    profile = "" if wanted.suffix.endswith(wanted.name) else wanted.name
    parts = (f"{session.started_at:%Y-%m-%d-%H%M%S}", words, profile)
    return "-".join(part for part in parts if part) + wanted.suffix


def csv_file(session: Session, tables: Iterable[SampleTable]) -> Iterator[bytes]:
    """One line for each face and sample; docs/history_exports.md names the columns."""
    identity, people = constant(csv_cell(session.id)), People(session.people)
    columns = tuple(Column("session", identity) if c.name == "session" else c for c in CSV_COLUMNS)
    columns = emptied(columns, missing_in(session))
    yield header_of(columns).encode()
    for table in tables:
        values = (
            table.at_s.tolist(),
            utc_texts(session, table.at_s),
            table.face.tolist(),
            *columns_of(table.box),
            *scores_of(session, table),
            label_names(table),
            table.confidence.tolist(),
            table.is_sure.tolist(),
            people.merged(table).face.tolist(),
            [csv_cell(name) for name in people.names_of(table)],
            *affect_columns(table),
            second_names(table),
            *told_names(table),
        )
        yield lines_of(columns, values)


def json_file(session: Session, tables: Iterable[SampleTable]) -> Iterator[bytes]:
    """Everything that is stored of a session; importing.py reads it back to equal rows.

    The count stands at the end: a session may still run, and a file that was cut short lacks it.
    """
    yield json.dumps(_head(session), ensure_ascii=False, indent=1)[:-2].encode()
    yield b',\n "samples": ['
    count = 0
    for table in tables:
        rows = _json_rows(table)
        yield ((",\n" if count else "\n") + rows).encode() if rows else b""
        count += len(table)
    yield f'\n ],\n "sample_count": {count}\n}}\n'.encode()


def _head(session: Session) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "program": f"fer-web {__version__}",
        "session": {
            "id": session.id,
            "name": session.name,
            "state": session.state,
            "source": session.source,
            "started_at": utc_text(session),
            "length_s": session.length_s,
            "notes": session.notes,
            "tags": list(session.tags),
            "model": {"name": session.model_name, "hash": session.model_hash},
            "sample_hz": session.sample_hz,
            "settings": session.settings,
            "markers": [{"at_s": marker.at_s, "text": marker.text} for marker in session.markers],
            "people": [vars(person) for person in session.people],
        },
        "columns": [*JSON_COLUMNS, *AFFECT_COLUMNS, *TOLD_COLUMNS],
    }


def utc_text(session: Session) -> str:
    """Return the time at which it started, as ISO 8601 UTC with Z."""
    return session.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json_rows(table: SampleTable) -> str:
    values = (
        table.at_s.tolist(),
        table.face.tolist(),
        *columns_of(table.box),
        *columns_of(table.scores),
        label_names(table),
        table.confidence.tolist(),
        ["true" if is_sure else "false" for is_sure in table.is_sure.tolist()],
        *affect_columns(table),
        *(
            [f'"{name}"' if name else "null" for name in names]
            for names in (second_names(table), *told_names(table))
        ),
    )
    return ",\n".join([_JSON_ROW % row for row in zip(*values, strict=True)])


FORMATS = {
    item.name: item
    for item in (
        ExportFormat("csv", ".csv", "text/csv; charset=utf-8", csv_file),
        ExportFormat("json", ".json", "application/json", json_file),
        ExportFormat("parquet", ".parquet", "application/vnd.apache.parquet", parquet_file, check_parquet),
        ExportFormat("pyfeat", ".csv", "text/csv; charset=utf-8", pyfeat_csv),
        ExportFormat("openface", ".csv", "text/csv; charset=utf-8", openface_csv),
        ExportFormat("facereader", ".txt", "text/tab-separated-values; charset=utf-8", facereader_log),
    )
}

"""A session as Parquet: the columns of the CSV export, typed. Needs pyarrow, which is optional."""

import importlib.util
import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from fer_web.errors import InvalidValueError
from fer_web.history.delimited_files import affect_columns, missing_in, second_names, told_names
from fer_web.history.people import People
from fer_web.history.sample_tables import joined
from fer_web.history.types import SampleTable, Session
from fer_web.labels import EMOTIONS

_GROUP_ROWS = 20_000
"""Rows that are compressed together: fewer make a larger file, more need more memory."""


def check_parquet() -> None:
    """Raises InvalidValueError: pyarrow is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise InvalidValueError(
            "Parquet needs pyarrow, which is not installed here. Export csv or json, or install it: "
            ".venv/bin/python -m pip install -r requirements-parquet.txt"
        )


def parquet_file(session: Session, tables: Iterable[SampleTable]) -> Iterator[bytes]:
    """The columns of the CSV export; scores, box and confidence as the float32 that are stored."""
    import pyarrow
    import pyarrow.parquet

    schema = _schema(pyarrow).with_metadata({"session": session.id, "name": session.name})
    sink = _Outlet()
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in _grouped(tables):
            arrays = [
                pyarrow.array(values, field.type)
                for values, field in zip(_values(session, group), schema, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            yield sink.take()
    yield sink.take()


def _schema(pyarrow: Any) -> Any:
    measured = ("left", "top", "width", "height", *EMOTIONS)
    text = pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    return pyarrow.schema(
        [
            ("at_s", pyarrow.float64()),
            ("utc", pyarrow.timestamp("ms", "UTC")),
            ("session", text),
            ("face", pyarrow.int32()),
            *((name, pyarrow.float32()) for name in measured),
            ("label", text),
            ("confidence", pyarrow.float32()),
            ("sure", pyarrow.bool_()),
            ("person", pyarrow.int32()),
            ("name", pyarrow.dictionary(pyarrow.int32(), pyarrow.string())),
            *((name, pyarrow.float32()) for name in ("valence", "arousal", "intensity")),
            ("second", text),
            ("rival", text),
            ("reason", text),
        ]
    )


def _values(session: Session, table: SampleTable) -> Iterator[Any]:
    start = np.datetime64(session.started_at.replace(tzinfo=None), "ms")
    yield table.at_s
    yield start + np.round(table.at_s * 1000).astype("timedelta64[ms]")
    yield [session.id] * len(table)
    yield table.face
    yield from table.box.T
    missing = missing_in(session)
    for name, scores in zip(EMOTIONS, table.scores.T, strict=True):
        yield [None] * len(table) if name in missing else scores
    yield [EMOTIONS[label] for label in table.label.tolist()]
    yield table.confidence
    yield table.is_sure
    people = People(session.people)
    yield people.merged(table).face
    yield people.names_of(table)
    yield from affect_columns(table)
    yield second_names(table)
    yield from told_names(table)


def _grouped(tables: Iterable[SampleTable]) -> Iterator[SampleTable]:
    waiting: list[SampleTable] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= _GROUP_ROWS:
            yield joined(waiting)
            waiting = []
    if waiting:
        yield joined(waiting)


class _Outlet(io.RawIOBase):
    """A file that is only written to, and emptied on the way."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def tell(self) -> int:
        return self._length

    def take(self) -> bytes:
        """Return what was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)

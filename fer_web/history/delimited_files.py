"""Tables as text: one line for each sample, formatted a chunk at a time."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_web.history.types import SampleTable, Session
from fer_web.inference.affect import intensity, second_expressions, valence_arousal
from fer_web.inference.certainty import REASONS
from fer_web.labels import EMOTIONS


@dataclass(frozen=True)
class Column:
    """One column of a text table. `pattern`: how printf would write a cell, such as %.6f."""

    name: str
    pattern: str = ""


def constant(text: str) -> str:
    """A pattern that writes the same text in every row."""
    return text.replace("%", "%%")


def missing_in(session: Session) -> tuple[str, ...]:
    """The expressions that a session's network cannot name: tables leave them empty, as unknown."""
    told = session.settings.get("missing", ())
    return tuple(name for name in EMOTIONS if isinstance(told, list) and name in told)


def emptied(columns: Sequence[Column], names: Collection[str]) -> tuple[Column, ...]:
    """The columns, those of these names empty."""
    return tuple(Column(each.name) if each.name in names else each for each in columns)


def scores_of(session: Session, table: SampleTable, order: Sequence[str] = EMOTIONS) -> Iterator[list[float]]:
    """The scores of each expression that the session's network can name, by `order`."""
    missing = missing_in(session)
    places = [EMOTIONS.index(name) for name in order if name not in missing]
    return columns_of(table.scores[:, places])


def header_of(columns: Sequence[Column], separator: str = ",") -> str:
    """The first line of a table."""
    return separator.join(column.name for column in columns) + "\r\n"


def lines_of(columns: Sequence[Column], values: Iterable[Sequence[Any]], separator: str = ",") -> bytes:
    """Lines of a table: one value for each column whose pattern takes one."""
    template = separator.join(column.pattern for column in columns) + "\r\n"
    return "".join([template % row for row in zip(*values, strict=True)]).encode()


def utc_texts(session: Session, at_s: NDArray[np.float64]) -> list[str]:
    """Moments as ISO 8601 UTC to the millisecond, with Z."""
    start = np.datetime64(session.started_at.replace(tzinfo=None), "us")
    moments = start + np.round(at_s * 1e6).astype("timedelta64[us]")
    return [f"{text}Z" for text in np.datetime_as_string(moments, unit="ms").tolist()]


def label_names(table: SampleTable) -> list[str]:
    """Each row's label by name, whether or not it was sure."""
    return [EMOTIONS[label] for label in table.label.tolist()]


def second_names(table: SampleTable) -> list[str]:
    """Each row's second expression by its raw scores; empty where there is none."""
    found = second_expressions(table.scores, table.label).tolist()
    return [EMOTIONS[second] if second >= 0 else "" for second in found]


def told_names(table: SampleTable) -> Iterator[list[str]]:
    """Each row's rival and reason, as two lists; empty where there is none."""
    for positions, names in ((table.rival, EMOTIONS), (table.reason, REASONS)):
        yield [names[each] if each >= 0 else "" for each in positions.tolist()]


def affect_columns(table: SampleTable) -> Iterator[list[float]]:
    """Each row's valence, arousal and intensity, by its raw scores."""
    yield from columns_of(valence_arousal(table.scores))
    yield intensity(table.scores).tolist()


def columns_of(values: NDArray[Any]) -> Iterator[list[Any]]:
    """The columns of an array (N, K), as K lists."""
    return (column.tolist() for column in values.T)

"""What the addresses of a session answer, in parts: here, or in a process of its own (long_program.py)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from fer_web.history.export import export_format
from fer_web.history.people import People
from fer_web.history.repository import HistoryRepository
from fer_web.history.sample_tables import joined
from fer_web.history.summary import smooth, summarise
from fer_web.history.thinning import thinned, within
from fer_web.history.types import SampleTable
from fer_web.web.api.sessions_json import samples_to_wire, summary_to_wire

_CHUNK = 10_000


@dataclass(frozen=True)
class PartsWanted:
    """One read of a session.

    Attributes:
        kind: samples, summary or export.
        scope: as `owner` of the repository's verbs.
        face: one person alone; None is all.
        points: of each face at most about so many samples; None is all.
        from_s, to_s: samples of this window alone; None is no bound.
        format: of an export.
    """

    kind: str
    session: str
    scope: str | None
    face: int | None = None
    smoothing_s: float = 0.0
    with_boxes: bool = False
    points: int | None = None
    from_s: float | None = None
    to_s: float | None = None
    format: str = ""

    def to_wire(self) -> dict[str, Any]:
        """As JSON-ready values, from which its own constructor makes it again."""
        return asdict(self)


def parts_of(repository: HistoryRepository, wanted: PartsWanted) -> Iterator[bytes]:
    """The answer's bytes; each part blocks. Raises NotFoundError, InvalidValueError."""
    kinds: dict[str, Callable[[HistoryRepository, PartsWanted], Iterator[bytes]]] = {
        "samples": _samples,
        "summary": _summary,
        "export": _export,
    }
    return kinds[wanted.kind](repository, wanted)


def _samples(repository: HistoryRepository, wanted: PartsWanted) -> Iterator[bytes]:
    sample_hz = repository.get_session(wanted.session, wanted.scope).sample_hz
    smoothed = smooth(_table(repository, wanted), wanted.smoothing_s, sample_hz=sample_hz)
    table = within(smoothed, wanted.from_s, wanted.to_s)
    step_s = 0.0
    if wanted.points is not None:
        table, step_s = thinned(table, wanted.points)
    yield from samples_to_wire(table, with_boxes=wanted.with_boxes, step_s=step_s)


def _summary(repository: HistoryRepository, wanted: PartsWanted) -> Iterator[bytes]:
    session = repository.get_session(wanted.session, wanted.scope)
    merged = People(session.people).merged(_table(repository, wanted))
    table = smooth(merged, wanted.smoothing_s, sample_hz=session.sample_hz)
    summary = summarise(table, length_s=session.length_s, sample_hz=session.sample_hz)
    yield json.dumps(summary_to_wire(summary)).encode()


def _export(repository: HistoryRepository, wanted: PartsWanted) -> Iterator[bytes]:
    session = repository.get_session(wanted.session, wanted.scope)
    samples = repository.iter_samples(wanted.session, wanted.scope)
    yield from export_format(wanted.format).write(session, samples)


def _table(repository: HistoryRepository, wanted: PartsWanted) -> SampleTable:
    # Rows of the database take ten times as much memory as columns: they are turned chunk by chunk.
    tables = list(repository.iter_samples(wanted.session, wanted.scope, wanted.face, _CHUNK))
    return joined(tables) if tables else repository.read_samples(wanted.session, wanted.scope, wanted.face)

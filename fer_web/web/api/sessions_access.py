"""Holds what the history's addresses work with."""

import functools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from fer_web.history.people import People
from fer_web.history.repository import HistoryRepository
from fer_web.history.sample_tables import joined
from fer_web.history.summary import smooth, summarise
from fer_web.history.types import SampleTable, Session
from fer_web.sharing.types import Admission
from fer_web.web.api.analysis_access import quota_key_of
from fer_web.web.api.read_turns import ReadTurns
from fer_web.web.api.sessions_json import samples_to_wire, summary_to_wire
from fer_web.web.auth.owners import Owners

_P = ParamSpec("_P")
_T = TypeVar("_T")
_CHUNK = 10_000


@dataclass(frozen=True)
class HistoryAccess:
    """The store, who asks for it, and how to wait for it.

    run_waiting: calls a function that blocks, without holding up other clients.
    admission: what a link lets who makes the current request do.
    turns: of those who read long sessions.
    """

    repository: HistoryRepository
    owners: Owners
    run_waiting: Callable[..., Any]
    retention_days: int
    admission: Callable[[], Admission] = lambda: Admission(is_local=True)
    turns: ReadTurns = field(default_factory=lambda: ReadTurns(threading.Semaphore))

    def read(self, verb: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call what reads much of a session, when it is this client's turn. Raises OverloadedError."""
        with self.turns.taken(quota_key_of(self.admission())):
            return self.call(verb, *args, **kwargs)

    def read_each(self, make_parts: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        """Parts of an answer, each made in a native thread in a turn of its own: memory holds one."""
        client = quota_key_of(self.admission())  # the request may be over when the next one is asked for
        with self.turns.taken(client):
            parts = self.call(make_parts)
            part = self.call(next, parts, None)
        return self._rest(client, part, parts)

    def _rest(self, client: str, part: bytes | None, parts: Iterator[bytes]) -> Iterator[bytes]:
        while part is not None:
            yield part
            with self.turns.taken(client):
                part = self.call(next, parts, None)

    def call(self, verb: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call what waits for the database or computes for long."""
        result: _T = self.run_waiting(functools.partial(verb, *args, **kwargs))
        return result

    def reading_scope(self, session_id: str) -> str | None:
        """The `owner` for verbs that read this session: a link may show it to others than its owner."""
        if self.admission().may_read(session_id):
            return None
        return self.owners.requester().scope

    def is_read_only(self, session: Session) -> bool:
        """Tell whether the current request sees a session by a link alone."""
        if not self.admission().may_read(session.id):
            return False
        requester = self.owners.requester()
        is_own = requester.is_host or session.owner == requester.owner
        return not (self.admission().is_local and is_own)

    def samples_of(
        self, session_id: str, scope: str | None, *, face: int | None, smoothing_s: float, with_boxes: bool
    ) -> Iterator[bytes]:
        """The samples of a session as JSON, in parts; blocks. Raises NotFoundError."""
        sample_hz = self.repository.get_session(session_id, scope).sample_hz
        table = smooth(self._table(session_id, scope, face), smoothing_s, sample_hz=sample_hz)
        return samples_to_wire(table, with_boxes=with_boxes)

    def summary_of(
        self, session_id: str, scope: str | None, *, face: int | None, smoothing_s: float
    ) -> bytes:
        """The summary of a session as JSON; blocks. Raises NotFoundError."""
        session = self.repository.get_session(session_id, scope)
        merged = People(session.people).merged(self._table(session_id, scope, face))
        table = smooth(merged, smoothing_s, sample_hz=session.sample_hz)
        summary = summarise(table, length_s=session.length_s, sample_hz=session.sample_hz)
        return json.dumps(summary_to_wire(summary)).encode()

    def _table(self, session_id: str, scope: str | None, face: int | None) -> SampleTable:
        # Rows of the database take ten times as much memory as columns: they are turned chunk by chunk.
        tables = list(self.repository.iter_samples(session_id, scope, face, _CHUNK))
        return joined(tables) if tables else self.repository.read_samples(session_id, scope, face)

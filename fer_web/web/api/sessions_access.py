"""Holds what the history's addresses work with."""

import functools
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, ParamSpec, TypeVar

from fer_web.history.repository import HistoryRepository
from fer_web.history.session_files import read_session
from fer_web.history.types import Session
from fer_web.sharing.types import Admission
from fer_web.web.api.analysis_access import quota_key_of
from fer_web.web.api.long_work import LONG_IMPORT_BYTES, LONG_SAMPLES, LongWork
from fer_web.web.api.read_turns import HeldParts, ReadTurns
from fer_web.web.api.session_parts import PartsWanted, parts_of
from fer_web.web.auth.owners import Owners

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class HistoryAccess:
    """The store, who asks for it, and how to wait for it.

    run_waiting: calls a function that blocks, without holding up other clients.
    admission: what a link lets who makes the current request do.
    turns: of those who read long sessions.
    long_work: processes for sessions that are long; None does all in this one.
    """

    repository: HistoryRepository
    owners: Owners
    run_waiting: Callable[..., Any]
    retention_days: int
    admission: Callable[[], Admission] = lambda: Admission(is_local=True)
    turns: ReadTurns = field(default_factory=lambda: ReadTurns(threading.Semaphore))
    long_work: LongWork | None = None

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

    def parts_of(self, wanted: PartsWanted) -> Iterator[bytes]:
        """Parts of an answer about a session. Raises NotFoundError, OverloadedError."""
        session = self.call(self.repository.get_session, wanted.session, wanted.scope)
        if self.long_work is None or session.samples <= LONG_SAMPLES:
            return self.read_each(lambda: parts_of(self.repository, wanted))
        client = quota_key_of(self.admission())
        return HeldParts(self.turns, client, self.long_work.read(wanted), self.call)

    def import_file(self, file: IO[bytes], owner: str) -> Session:
        """Store an exported session; returns it. Raises as `read_session` and the repository."""
        if self.long_work is not None and file.seek(0, os.SEEK_END) > LONG_IMPORT_BYTES:
            file.seek(0)
            stored = self.call(self.long_work.import_session, file, owner)
            return self.call(self.repository.get_session, stored, owner)
        file.seek(0)
        session, table = self.call(read_session, file)
        return self.call(self.repository.import_session, session, owner, [table])

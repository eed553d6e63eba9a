"""Tells other processes which visitors are here, and hears which are there and whom the host removed."""

import dataclasses
import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

from fer_web.backplane.types import CONNECTED, Backplane, Message
from fer_web.errors import DatabaseError
from fer_web.sharing.visitor_registry import Visitor, VisitorRegistry

_log = logging.getLogger(__name__)

TELL_S = 2.0
"""Seconds between two lists of this process's visitors."""

GONE_S = 7.0
"""A process that has told nothing for so long has ended, however it did."""

_LIST = "visitors"
_REMOVED = "removed"


class RemovalStore(Protocol):
    """Remembers removed visitors for all processes. Its verbs may block, and raise DatabaseError."""

    def save(self, visitor_id: str, removed_s: float) -> None:
        """Store that a visitor was removed."""

    def since(self, after_s: float) -> list[tuple[str, float]]:
        """The visitors that were removed after a moment, each with when."""
        ...


class SharedVisitors:
    """Keeps one registry in step with those of the other processes."""

    def __init__(
        self,
        registry: VisitorRegistry,
        store: RemovalStore,
        backplane: Backplane,
        *,
        longest_link_s: float,
        run_waiting: Callable[..., Any],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Args: longest_link_s: no link that a removed visitor still has is older, in seconds."""
        self._registry = registry
        self._store = store
        self._backplane = backplane
        self._longest_link_s = longest_link_s
        self._run_waiting = run_waiting
        self._clock = clock
        self._heard_s: dict[str, float] = {}
        self._unsaved: dict[str, float] = {}
        registry.subscribe_removed(self._removed_here)
        backplane.subscribe(_LIST, self._take_list)
        backplane.subscribe(_REMOVED, self._take_removed)
        backplane.subscribe(CONNECTED, lambda _message: self.tell())

    def tell(self) -> None:
        """Tell who is here, and forget the processes that tell nothing more."""
        own = [dataclasses.asdict(visitor) for visitor in self._registry.own()]
        self._backplane.publish(_LIST, {"visitors": own}, key=_LIST)
        for process, heard_s in list(self._heard_s.items()):
            if self._clock() - heard_s > GONE_S:
                del self._heard_s[process]
                self._registry.set_elsewhere(process, [])

    def refresh(self) -> None:
        """Look into the store for whom other processes removed, and store what could not be stored before."""
        for visitor_id, removed_s in list(self._unsaved.items()):
            self._save(visitor_id, removed_s)
        try:
            removed = self._run_waiting(self._store.since, self._clock() - self._longest_link_s)
        except DatabaseError:
            return
        for visitor_id, removed_s in removed:
            self._registry.note_removed(visitor_id, removed_s)

    def _removed_here(self, visitor_id: str, removed_s: float) -> None:
        self._backplane.publish(_REMOVED, {"visitor": visitor_id, "removed_s": removed_s})
        self._save(visitor_id, removed_s)

    def _save(self, visitor_id: str, removed_s: float) -> None:
        try:
            self._run_waiting(self._store.save, visitor_id, removed_s)
        except DatabaseError as exc:
            self._unsaved[visitor_id] = removed_s
            _log.warning("That a visitor was removed is not stored yet: %s", exc)
            return
        self._unsaved.pop(visitor_id, None)

    def _take_list(self, message: Message) -> None:
        self._heard_s[message.sender] = self._clock()
        visitors = [Visitor(**each) for each in message.body["visitors"]]
        self._registry.set_elsewhere(message.sender, visitors)

    def _take_removed(self, message: Message) -> None:
        self._registry.note_removed(str(message.body["visitor"]), float(message.body["removed_s"]))

"""Does in time what must be done while the server runs: links expire without anybody asking."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

_log = logging.getLogger(__name__)

TICK_S = 0.25


class EndEvent(Protocol):
    """threading.Event, or eventlet's of the same shape."""

    def set(self) -> None:
        """Wake who waits."""

    def wait(self, timeout: float) -> bool | None:
        """Until it is set, or this long."""
        ...


@dataclass(frozen=True)
class PeriodicTask:
    """Something to call about every `every_s` seconds, TICK_S at least."""

    every_s: float
    do: Callable[[], object]


class PeriodicRunner:
    """Does tasks, each for the first time at once; runs beside the handlers, as a task of the server."""

    def __init__(
        self,
        tasks: Sequence[PeriodicTask],
        must_end: EndEvent,
        clock: Callable[[], float] = time.monotonic,
        on_lag: Callable[[float], None] = lambda _lag_s: None,
    ) -> None:
        """Args:
        must_end: unset.
        clock: seconds, never set back.
        on_lag: is told, each TICK_S, how much later than it asked for this task of the server runs.
        """
        self._on_lag = on_lag
        self._due_s = {task: clock() for task in tasks}
        self._must_end = must_end
        self._clock = clock

    def run(self) -> None:
        """Do what is due until `stop`."""
        self.do_due()
        asked_s = self._clock()
        while not self._must_end.wait(TICK_S):
            self._on_lag(self._clock() - asked_s - TICK_S)
            self.do_due()
            asked_s = self._clock()

    def stop(self) -> None:
        """End `run`."""
        self._must_end.set()

    def do_due(self) -> None:
        """One round. A task that fails is logged and done again when it is due."""
        for task, due_s in self._due_s.items():
            if self._clock() < due_s:
                continue
            self._due_s[task] = self._clock() + task.every_s
            try:
                task.do()
            except Exception:  # the other ones must go on
                _log.exception("A task failed")

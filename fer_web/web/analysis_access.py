"""What the addresses that analyse files work with, and who may use them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, ParamSpec, TypeVar

from fer_web.analysis.still_analyser import AnalysedStill, SharedAnalyser
from fer_web.errors import ForbiddenError
from fer_web.sharing.types import Admission
from fer_web.web.owner import Owners, Viewer

MAX_WAITING_IMAGES = 16
"""Images that wait for their turn; a further one is refused."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class AnalysisAccess:
    """The analyser of images, who asks for it, and how to wait for it.

    run_waiting: calls a function that waits for the database or a disk, without holding up other clients.
    run_in_turn: the same for what computes for long: one at a time, the others wait without holding a thread.
    admission: what a link lets who makes the current request do.
    """

    owners: Owners
    run_waiting: Callable[..., Any]
    run_in_turn: Callable[..., Any]
    analyser: SharedAnalyser
    admission: Callable[[], Admission] = lambda: Admission(is_local=True)

    def check(self) -> Viewer:
        """Who asks; a browser without a cookie gets one. Raises ForbiddenError as `check_admission`."""
        self.check_admission()
        return self.owners.viewer()

    def check_admission(self) -> None:
        """For what is kept for nobody. Raises ForbiddenError: the visitor's link is only for looking."""
        if not self.admission().may_stream:
            raise ForbiddenError("Your link does not let you analyse files. Ask the host for a link to join.")

    def analyse(self, data: bytes | IO[bytes], faces: str = "auto", heatmap: bool = False) -> AnalysedStill:
        """Analyse one image; see SharedAnalyser.analyse."""
        found: AnalysedStill = self.run_in_turn(self.analyser.analyse, data, faces, heatmap)
        return found

    def call(self, verb: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call what waits for the database or a disk."""
        result: _T = self.run_waiting(functools.partial(verb, *args, **kwargs))
        return result

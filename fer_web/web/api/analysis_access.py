"""Holds what the addresses that analyse files work with, and who may use them."""

import contextlib
import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from flask import request

from fer_web.analysis.stills.still_analyser import SharedAnalyser
from fer_web.errors import ClientGoneError, ForbiddenError, OverloadedError
from fer_web.serving.hang_ups import has_hung_up
from fer_web.sharing.guessing import group_of
from fer_web.sharing.types import Admission
from fer_web.web.api.received_files import FORM_BYTES, FileSource, ReceivedFile, received_file
from fer_web.web.auth.owners import Owners, Requester

MAX_WAITING_IMAGES = 16
"""Images that wait for their turn; a further one is refused."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


MAX_IMAGES_OF_CLIENT = 9
"""A client may have this many that come, wait or are analysed; this machine may use all slots."""

THIS_MACHINE = "this machine"


def quota_key_of(admission: Admission) -> str:
    """Return who makes the request, whatever cookies it has: a key, this machine, or an address."""
    if admission.key is not None:
        return f"key {admission.key}"
    return THIS_MACHINE if admission.is_local else group_of(request.remote_addr)


class ClientQuota:
    """Counts each client's images, from their first byte to the answer, so that none takes all slots.

    Thread-safe.
    """

    def __init__(
        self,
        client_key: Callable[[], str],
        elsewhere: Callable[[], Counter[str]] = Counter,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Args: elsewhere: images by client at other processes. on_change: called after each change here."""
        self._client_key = client_key
        self._elsewhere = elsewhere
        self._on_change = on_change
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take one slot for a with block. Raises OverloadedError: the client uses all of its own."""
        client_key = self._client_key()
        elsewhere = self._elsewhere()[client_key]
        with self._lock:
            taken = self._taken[client_key] + elsewhere
            if client_key != THIS_MACHINE and taken >= MAX_IMAGES_OF_CLIENT:
                raise OverloadedError(
                    f"You have {MAX_IMAGES_OF_CLIENT} images under way. Send this one again later."
                )
            self._taken[client_key] += 1
        self._on_change()
        try:
            yield
        finally:
            with self._lock:
                self._taken[client_key] -= 1
                self._taken += Counter()  # keeps those above zero
            self._on_change()

    def by_client(self) -> Mapping[str, int]:
        """How many images each client has here."""
        with self._lock:
            return Counter(self._taken)


@dataclass(frozen=True)
class AnalysisAccess:
    """The analyser of images, who asks for it, and how to wait for it.

    run_waiting, run_in_turn: what `call` and `compute` run functions with.
    quota: slots of those who wait for `compute`, or send what they will wait for.
    admission: what a link lets who makes the current request do.
    """

    owners: Owners
    run_waiting: Callable[..., Any]
    run_in_turn: Callable[..., Any]
    quota: ClientQuota
    analyser: SharedAnalyser
    admission: Callable[[], Admission] = lambda: Admission(is_local=True)

    def check(self) -> Requester:
        """Return who asks; a browser with no cookie gets one. Raises as `check_admission`."""
        self.check_admission()
        return self.owners.requester()

    def check_admission(self) -> None:
        """Check where nothing is kept. Raises ForbiddenError: the link is only for looking."""
        if not self.admission().may_stream:
            raise ForbiddenError("Your link does not let you analyse files. Ask the host for a link to join.")

    def client_key(self) -> str:
        """Return who asks; see `quota_key_of`."""
        return quota_key_of(self.admission())

    @contextlib.contextmanager
    def received_image(self, example: str) -> Iterator[ReceivedFile]:
        """The current request's image; its slot is held to the end of the with block.

        Args: example: a command that sends one.
        Raises: what `received_file` raises, OverloadedError.
        """
        source = FileSource("image", self.analyser.limits.max_bytes + FORM_BYTES, example)
        with self.quota.taken(), received_file(source) as upload:
            yield upload

    def call(self, verb: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what waits for the database or a disk, without holding up other clients."""
        result: _T = self.run_waiting(functools.partial(verb, *args, **kwargs))
        return result

    def compute(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what computes for long: one at a time; the others wait without holding a thread.

        Nothing is computed for who has hung up by then.

        Raises: OverloadedError: too many wait. ClientGoneError.
        """
        environ = request.environ

        def in_turn() -> _T:
            if has_hung_up(environ):
                raise ClientGoneError("You hung up before it was your turn. Send it again.")
            return function(*args, **kwargs)

        result: _T = self.run_in_turn(in_turn)
        return result

"""Slows down who tries links that do not exist."""

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from fer_web.backplane.types import Backplane
from fer_web.errors import TooManyGuessesError

MAX_FAILURES = 10
WINDOW_S = 60.0
MAX_ADDRESSES = 10_000
"""Addresses remembered; past it, the one that failed longest ago is forgotten."""


class GuessLimiter(Protocol):
    """Counts failed links by address."""

    def check(self, address: str | None) -> None:
        """Raises TooManyGuessesError: this address failed too often."""

    def failed(self, address: str | None) -> None:
        """This address tried a link that does not exist."""


class AddressGuessLimiter:
    """MAX_FAILURES in WINDOW_S for one address; an IPv6 host has a network of /64 to choose from."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        guessed: str = "links",
        advice: str = "scan the code again",
    ) -> None:
        """Args:
        clock: seconds, never set back.
        guessed: what is guessed, and `advice` what to do after waiting; for the error's text.
        """
        self._clock = clock
        self._guessed = guessed
        self._advice = advice
        self._lock = threading.Lock()
        self._failures_s: OrderedDict[str, list[float]] = OrderedDict()
        self._tell: Callable[[str], None] = lambda _group: None

    def share(self, backplane: Backplane) -> None:
        """Count what fails at other processes too."""
        topic = f"failed {self._guessed}"
        self._tell = lambda group: backplane.publish(topic, {"group": group})
        backplane.subscribe(topic, lambda message: self._note(str(message.body["group"])))

    def check(self, address: str | None) -> None:
        """Raises TooManyGuessesError: this address failed too often."""
        with self._lock:
            recent = self._recent(group_of(address))
            if len(recent) < MAX_FAILURES:
                return
            retry_after_s = math.ceil(recent[-MAX_FAILURES] + WINDOW_S - self._clock())
        raise TooManyGuessesError(
            f"Your address tried {MAX_FAILURES} {self._guessed} that do not exist. Wait {retry_after_s} "
            f"seconds, then {self._advice}.",
            retry_after_s,
        )

    def failed(self, address: str | None) -> None:
        """This address tried a link that does not exist."""
        group = group_of(address)
        self._note(group)
        self._tell(group)

    def _note(self, group: str) -> None:
        with self._lock:
            self._failures_s[group] = [*self._recent(group), self._clock()][-MAX_FAILURES:]
            self._failures_s.move_to_end(group)
            while len(self._failures_s) > MAX_ADDRESSES:
                self._failures_s.popitem(last=False)

    def _recent(self, group: str) -> list[float]:
        begin_s = self._clock() - WINDOW_S
        return [at_s for at_s in self._failures_s.get(group, ()) if at_s > begin_s]


def group_of(address: str | None) -> str:
    """Addresses that are counted together."""
    try:
        parsed = ipaddress.ip_address((address or "").split("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))

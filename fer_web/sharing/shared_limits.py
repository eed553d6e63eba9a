"""Counts places and quotas over all processes of a service: each tells the others what is held there.

Nobody waits for another process. While the others cannot be reached, each counts its own alone. What a
process that has ended held is forgotten after GONE_S. Two that give away the last place at once learn
so from each other, and the later one takes it back.
"""

import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fer_web.backplane.types import CONNECTED, Backplane, Message, NoBackplane
from fer_web.errors import ServerFullError
from fer_web.sharing.places import Sender, check_place

TELL_S: Final = 1.0
"""Seconds between two lists of what is held here; changes are told at once."""

GONE_S: Final = 4.0
"""A process that has told nothing for so long holds nothing any more."""

SETTLE_S: Final = 5.0
"""A place that was had for so long stays, also where processes that met again have too many together."""

_LIST: Final = "held"


@dataclass(frozen=True)
class Claim:
    """A place that somebody has. key: of a stream or recording; since_s: seconds since 1970."""

    key: str
    since_s: float
    sender: Sender


@dataclass(frozen=True)
class HeldPlaces:
    """What a process says of one kind of places.

    Attributes:
        places: how many there are in the whole service.
        held: the claims of this process.
        withdraw: takes a place back, by its key; told why. It must not wait.
    """

    places: int
    held: Callable[[], Sequence[Claim]]
    withdraw: Callable[[str, ServerFullError], object]


class PlacesElsewhere(Protocol):
    """Places of one kind that other processes gave away."""

    def senders(self, besides: str = "") -> Collection[Sender]:
        """Who holds them; one claim with the key `besides` is left out, as it moves here."""
        ...

    def changed(self) -> None:
        """Somebody here got a place, or gave it back."""


class NoPlacesElsewhere:
    """For a process that is alone."""

    def senders(self, besides: str = "") -> Collection[Sender]:
        """Nobody is elsewhere."""
        return ()

    def changed(self) -> None:
        """Nobody is there to be told."""


@dataclass(frozen=True)
class _Heard:
    """What one process holds. at_s: when it said so, by the monotonic clock."""

    at_s: float
    claims: Mapping[str, Sequence[Claim]]
    counts: Mapping[str, Mapping[str, int]]


class SharedLimits:
    """Keeps the counts of one process in step with those of the others. Thread-safe."""

    def __init__(
        self,
        backplane: Backplane | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Args: clock, wall_clock: seconds, monotonic and since 1970."""
        self.backplane = backplane or NoBackplane()
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = threading.Lock()
        self._heard: dict[str, _Heard] = {}
        self._kinds: dict[str, HeldPlaces] = {}
        self._counts: dict[str, Callable[[], Mapping[str, int]]] = {}
        self.backplane.subscribe(_LIST, self._take)
        self.backplane.subscribe(CONNECTED, lambda _message: self.tell())

    def places_of(self, what: str) -> PlacesElsewhere:
        """The places of a kind, such as "streams", as one who gives them away here needs them."""
        return _Elsewhere(self, what) if self.backplane.is_shared else NoPlacesElsewhere()

    def share_places(self, what: str, holders: HeldPlaces) -> None:
        """Tell the others who holds places of a kind here."""
        self._kinds[what] = holders

    def share_counts(self, what: str, counts: Callable[[], Mapping[str, int]]) -> None:
        """Tell the others numbers that belong to names, such as images by client; zeros are left out."""
        self._counts[what] = counts

    def counts_elsewhere(self, what: str) -> Counter[str]:
        """The sums of what the other processes told, by name."""
        total: Counter[str] = Counter()
        for heard in self._living():
            total.update(heard.counts.get(what, {}))
        return total

    def processes_with(self, what: str, name: str) -> int:
        """How many other processes told a number of this name."""
        return sum(name in heard.counts.get(what, {}) for heard in self._living())

    def senders_elsewhere(self, what: str, besides: str = "") -> list[Sender]:
        """Who holds places of a kind at the other processes; see PlacesElsewhere."""
        return [claim.sender for claim in self._claims_elsewhere(what) if claim.key != besides]

    def tell(self) -> None:
        """Tell the others what is held here."""
        if self.backplane.is_shared:
            held = {what: [_to_wire(each) for each in kind.held()] for what, kind in self._kinds.items()}
            counts = {what: dict(+Counter(count())) for what, count in self._counts.items()}
            self.backplane.publish(_LIST, {"places": held, "counts": counts}, key=_LIST)

    def leave(self) -> None:
        """Tell the others that nothing is held here any more."""
        self.backplane.publish(_LIST, {"places": {}, "counts": {}}, key=_LIST)

    def _living(self) -> list[_Heard]:
        with self._lock:
            since_s = self._clock() - GONE_S
            self._heard = {process: each for process, each in self._heard.items() if each.at_s >= since_s}
            return list(self._heard.values())

    def _claims_elsewhere(self, what: str) -> Iterable[Claim]:
        return (claim for heard in self._living() for claim in heard.claims.get(what, ()))

    def _take(self, message: Message) -> None:
        claims = {what: [_from_wire(each) for each in held] for what, held in message.body["places"].items()}
        with self._lock:
            is_new = message.sender not in self._heard
            self._heard[message.sender] = _Heard(self._clock(), claims, message.body["counts"])
        for what, kind in self._kinds.items():
            for key, error in self._too_many(what, kind):
                kind.withdraw(key, error)
        if is_new:
            self.tell()

    def _too_many(self, what: str, kind: HeldPlaces) -> list[tuple[str, ServerFullError]]:
        """Claims of this process that are to be taken back, each with why.

        Every process sorts the same claims in the same way, so that each finds its own.
        """
        recent_s = self._wall_clock() - SETTLE_S
        own = {claim.key for claim in kind.held() if claim.since_s > recent_s}
        if not own:
            return []
        accepted: list[Sender] = []
        refused: list[tuple[str, ServerFullError]] = []
        claims = {claim.key: claim for claim in (*self._claims_elsewhere(what), *kind.held())}
        for claim in sorted(claims.values(), key=lambda each: (each.since_s, each.key)):
            try:
                if claim.since_s > recent_s:
                    check_place(what, kind.places, accepted, claim.sender)
            except ServerFullError as exc:
                if claim.key in own:
                    refused.append((claim.key, exc))
            else:
                accepted.append(claim.sender)
        return refused


class _Elsewhere:
    """One kind of places; see PlacesElsewhere."""

    def __init__(self, limits: SharedLimits, what: str) -> None:
        self._limits = limits
        self._what = what

    def senders(self, besides: str = "") -> Collection[Sender]:
        return self._limits.senders_elsewhere(self._what, besides)

    def changed(self) -> None:
        self._limits.tell()


def _to_wire(claim: Claim) -> list[Any]:
    return [claim.key, claim.since_s, *dataclasses.astuple(claim.sender)]


def _from_wire(values: Sequence[Any]) -> Claim:
    key, since_s, person, address, is_guest, is_local = values
    sender = Sender(str(person), str(address), is_guest=bool(is_guest), is_local=bool(is_local))
    return Claim(str(key), float(since_s), sender)

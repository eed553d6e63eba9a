"""Who holds the places of a server that many use, and how many one may hold."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from fer_web.errors import ServerFullError

MAX_OF_VISITOR: Final = 4
"""Streams, or recordings, of one visitor: a page in each of a few windows."""

ADDRESS_SHARE: Final = 0.5
"""Of all places, those that one address may hold: a visitor becomes another one by opening a link again."""

HOST_SHARE: Final = 0.125
"""Of all places, those that stay for this machine; one at least, where there are two."""


@dataclass(frozen=True)
class Sender:
    """A sender is whom a stream or recording is counted for.

    Attributes:
        person: a visitor's id, or that of a browser at this machine: people take turns.
        address: addresses that are counted together; empty for this machine.
        is_guest: came by a link and is not the host.
        is_local: comes from this machine.
    """

    person: str = ""
    address: str = ""
    is_guest: bool = False
    is_local: bool = True


THIS_MACHINE: Final = Sender()


def check_place(what: str, places: int, taken: Collection[Sender], sender: Sender) -> None:
    """Tell whether a sender may have one of `places` more.

    Args: what: is taken, such as "streams". taken: who holds those that are taken.
    Raises: ServerFullError.
    """
    if len(taken) >= places:
        raise ServerFullError(
            f"All {places} {what} of this server are taken. Try again later, or raise --max-clients."
        )
    if not sender.is_guest:
        return
    if sum(each.is_guest for each in taken) >= places - _kept(places):
        raise ServerFullError(f"All {what} of this server that visitors may have are taken. Try again later.")
    if sum(each.is_guest and each.person == sender.person for each in taken) >= MAX_OF_VISITOR:
        raise ServerFullError(f"You have {MAX_OF_VISITOR} {what} already. Stop one, then try again.")
    of_address = max(1, int(places * ADDRESS_SHARE))
    if sender.address and sum(each.address == sender.address for each in taken) >= of_address:
        raise ServerFullError(f"Your address has {of_address} {what} already. Stop one, then try again.")


def _kept(places: int) -> int:
    return max(1, int(places * HOST_SHARE)) if places > 1 else 0

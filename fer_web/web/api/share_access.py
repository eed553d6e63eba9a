"""Holds what the addresses of sharing work with."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from fer_web.errors import ShareError
from fer_web.sharing.links import LinkBook
from fer_web.sharing.types import Link, LinkKind, ShareNetwork
from fer_web.sharing.visitor_registry import VisitorRegistry
from fer_web.web.api.sessions_access import HistoryAccess

_NOT_SHARED = (
    "This server was started for this machine alone. To share, stop it and start it again with: make share "
    "(without make: python app.py --share)"
)
_NO_NETWORK = (
    "This machine is on no network by which others could reach it. Connect it to one: sharing goes on by "
    "itself."
)


@dataclass(frozen=True)
class ShareAccess:
    """Links and visitors, and where they find the server.

    network: None where the server listens to this machine alone.
    clock: seconds since 1970.
    """

    links: LinkBook
    visitors: VisitorRegistry
    history: HistoryAccess
    network: ShareNetwork | None
    clock: Callable[[], float] = time.time

    def refusal(self) -> str | None:
        """Return why no link can be made; None where it can."""
        if self.network is None:
            return _NOT_SHARED
        return None if self.network.addresses() else _NO_NETWORK

    def urls(self, link: Link) -> list[str]:
        """The link's full addresses, the best first; none unless it is open."""
        token = self.links.token_of(link.id)
        if token is None or self.network is None:
            return []
        return [f"{address.url}/l/{token}" for address in self.network.addresses()]

    def create(self, kind: LinkKind, name: str, *, hours: float, session: str | None, video: bool) -> Link:
        """A link of the person at this machine.

        Raises: InvalidValueError: a value that is not allowed. NotFoundError: no such session.
            ShareError: nothing can be shared now.
        """
        if refusal := self.refusal():
            raise ShareError(refusal)
        owner = self.history.owners.requester().owner if kind == "watch" else None
        if session is not None and kind == "session":
            self._check_session(session)
        link, _ = self.links.create(kind, name, hours=hours, session=session, owner=owner, video=video)
        return link

    def _check_session(self, session_id: str) -> None:
        scope = self.history.owners.requester().scope
        session = self.history.call(self.history.repository.get_session, session_id, scope)
        if session.state == "running":
            raise ShareError("This session is still being recorded. Stop the recording, then share it.")

"""Decides who may come in: this machine itself, and visitors whose link is open."""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from fer_web.errors import LinkNeededError, NotFoundError, ShareError, SharingStoppedError
from fer_web.sharing.links import LinkBook, ending_of
from fer_web.sharing.loopback import is_loopback
from fer_web.sharing.signed_cookie import SignedCookie
from fer_web.sharing.types import Admission, Link
from fer_web.sharing.visitor_registry import VisitorRegistry


class Authenticator:
    """Reads the visitors' cookies, and ends the sockets of a link with it.

    A cookie holds a mark of this run of the server, a visitor's id and its link's, signed. Where processes
    share links, the mark is the same for all of them, and any of them learns from the cookie who comes.
    """

    def __init__(
        self,
        secret: bytes,
        links: LinkBook,
        visitors: VisitorRegistry,
        clock: Callable[[], float] = time.time,
        *,
        is_shared: bool = False,
        base_path: str = "",
    ) -> None:
        """Args:
        secret: 32 bytes that only this server knows.
        clock: seconds since 1970, as that of `links`.
        is_shared: whether other processes have the same links.
        base_path: as SignedCookie's.
        """
        self._is_shared = is_shared
        self._cookie = SignedCookie(secret, "guest", base_path)
        self.visitor_cookie = self._cookie.name
        self._run = "shared" if is_shared else secrets.token_hex(6)
        self._links = links
        self._visitors = visitors
        self._clock = clock
        links.subscribe(self._end_sockets)

    def admit(self, address: str | None, cookies: Mapping[str, str]) -> Admission:
        """Tell who asks.

        Args: address: where the request comes from, after the proxies that are believed; None is unknown.
        Raises: VisitorRemovedError, LinkExpiredError, LinkRevokedError, SharingStoppedError, LinkNeededError:
            somebody on the network has a cookie that no longer opens.
        """
        if self.is_local(address):
            return self._admit_local(cookies)
        return self.admit_by_link(cookies)

    def admit_by_link(self, cookies: Mapping[str, str]) -> Admission:
        """Return what the cookie alone opens, wherever it comes from. Raises as `admit` does."""
        visitor_id = self.visitor_of(cookies)
        if visitor_id is None:
            return Admission(is_local=False)
        link = self._link_of(visitor_id, self._parts(cookies)[2])
        return Admission(is_local=False, visitor=visitor_id, link=link)

    def visitor_of(self, cookies: Mapping[str, str]) -> str | None:
        """Return a valid cookie's visitor or None. Raises SharingStoppedError: an earlier run's."""
        run, visitor_id, _ = self._parts(cookies)
        if not visitor_id:
            return None
        if not hmac.compare_digest(run.encode(), self._run.encode()):
            raise SharingStoppedError(
                "The server that made this link has ended, and with it what it shared. "
                "Ask the host for a new link."
            )
        return visitor_id

    def signed(self, visitor_id: str, link_id: str = "") -> str:
        """The cookie's value for a visitor and the link that it opened."""
        return self._cookie.sign(f"{self._run}.{visitor_id}.{link_id}")

    def cookie_options(self, *, is_secure: bool) -> dict[str, Any]:
        """Return how a response sets the visitor's cookie: all but its value and its age."""
        return self._cookie.options(is_secure=is_secure)

    def is_local(self, address: str | None) -> bool:
        """Tell whether an address is this machine itself."""
        return is_loopback(address)

    def _admit_local(self, cookies: Mapping[str, str]) -> Admission:
        try:
            by_link = self.admit_by_link(cookies)
        except ShareError:
            return Admission(is_local=True)
        return Admission(is_local=True, visitor=by_link.visitor, link=by_link.link)

    def _parts(self, cookies: Mapping[str, str]) -> tuple[str, str, str]:
        run, _, rest = (self._cookie.read(cookies) or "").partition(".")
        visitor_id, _, link_id = rest.partition(".")
        return run, visitor_id, link_id

    def _link_of(self, visitor_id: str, signed_link: str) -> Link:
        try:
            if self._is_shared:
                link = self._links.find(signed_link)
                self._visitors.adopt(visitor_id, link)
            else:
                link = self._links.get(self._visitors.link_of(visitor_id) or "")
        except NotFoundError:
            raise LinkNeededError(
                "The server has forgotten this device, because many others came. Open your link again."
            ) from None
        if ending := ending_of(link, self._clock()):
            raise ending
        return link

    def _end_sockets(self, link: Link) -> None:
        if ending := ending_of(link, self._clock()):
            self._visitors.end_link(link.id, ending)

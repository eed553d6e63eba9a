"""Decides who may come in: this machine itself, and visitors whose link is open."""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping

from fer_web.errors import LinkNeededError, NotFoundError, ShareError, SharingStoppedError
from fer_web.sharing.links import LinkBook, ending_of
from fer_web.sharing.loopback import is_loopback
from fer_web.sharing.signed_cookie import SignedCookie
from fer_web.sharing.types import Admission, Link
from fer_web.sharing.visitor_registry import VisitorRegistry


class Authenticator:
    """Reads the visitors' cookies, and ends the sockets of a link with it.

    A cookie holds a visitor's id and a mark of this run of the server, signed.
    """

    def __init__(
        self,
        secret: bytes,
        links: LinkBook,
        visitors: VisitorRegistry,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Args:
        secret: 32 bytes that only this server knows.
        clock: seconds since 1970, as that of `links`.
        """
        self._cookie = SignedCookie(secret, "guest")
        self.visitor_cookie = self._cookie.name
        self._run = secrets.token_hex(6)
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
        return Admission(is_local=False, visitor=visitor_id, link=self._link_of(visitor_id))

    def visitor_of(self, cookies: Mapping[str, str]) -> str | None:
        """Return a valid cookie's visitor or None. Raises SharingStoppedError: an earlier run's."""
        run, is_split, visitor_id = (self._cookie.read(cookies) or "").partition(".")
        if not is_split:
            return None
        if not hmac.compare_digest(run.encode(), self._run.encode()):
            raise SharingStoppedError(
                "The server that made this link has ended, and with it what it shared. "
                "Ask the host for a new link."
            )
        return visitor_id

    def signed(self, visitor_id: str) -> str:
        """The cookie's value for a visitor."""
        return self._cookie.sign(f"{self._run}.{visitor_id}")

    def is_local(self, address: str | None) -> bool:
        """Tell whether an address is this machine itself."""
        return is_loopback(address)

    def _admit_local(self, cookies: Mapping[str, str]) -> Admission:
        try:
            by_link = self.admit_by_link(cookies)
        except ShareError:
            return Admission(is_local=True)
        return Admission(is_local=True, visitor=by_link.visitor, link=by_link.link)

    def _link_of(self, visitor_id: str) -> Link:
        link_id = self._visitors.link_of(visitor_id)
        try:
            link = self._links.get(link_id or "")
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

"""Tells who asks: a browser owns what it recorded; the host may look after everything."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Request, Response, g, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from fer_web.errors import ForbiddenError
from fer_web.sharing.loopback import is_loopback
from fer_web.sharing.signed_cookie import SignedCookie
from fer_web.web.answers import keep_private
from fer_web.web.request_values import site_path

HOST_PARAMETER = "host"
OVERLAY_PAGE = "/overlay"
_MAX_AGE_S = 400 * 86400
"""Browsers keep no cookie longer (RFC 6265bis, 5.5)."""


def with_query(path: str, *, without: str = "") -> str:
    """Return a path with the query of the current request, but for one parameter."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != without]
    return f"{path}?{urlencode(kept)}" if kept else path


@dataclass(frozen=True)
class Requester:
    """A requester asks for sessions.

    Attributes:
        owner: what this browser recorded is stored under this.
        is_host: whether it is the person at this machine, who may do everything.
    """

    owner: str
    is_host: bool

    @property
    def scope(self) -> str | None:
        """The `owner` for a repository's verb: None sees all."""
        return None if self.is_host else self.owner


class Owners:
    """Tells browsers apart by signed cookies that no script can read."""

    def __init__(
        self,
        secret: bytes,
        key_owner: Callable[[], str | None] = lambda: None,
        *,
        host_token: str = "",
        base_path: str = "",
    ) -> None:
        """Args:
        secret: 32 bytes that only this server knows; with another one no owner is known.
        key_owner: whose key came with the current request, None without one; raises KeyRefusedError.
        host_token: opens the host's pages; empty makes a new one.
        base_path: as SignedCookie's.
        """
        self._key_owner = key_owner
        self._owner, self._host = (
            SignedCookie(secret, "owner", base_path),
            SignedCookie(secret, "host", base_path),
        )
        self.owner_cookie, self.host_cookie = self._owner.name, self._host.name
        self.host_token = host_token or secrets.token_urlsafe(24)

    def register(self, app: Flask) -> None:
        """Give every new browser a cookie, and take the host's token from addresses."""
        app.before_request(self._take_host_token)
        app.after_request(self._send_owner)

    def owner_of(self, cookies: Mapping[str, str]) -> str | None:
        """Return whose cookies these are; None without a valid one."""
        return self._owner.read(cookies)

    def requester(self) -> Requester:
        """Return who makes the request; a browser without a valid cookie becomes a new owner.

        A key counts before cookies, and is never the host's: it can neither make nor revoke keys or links.
        """
        if "requester" not in g:
            key_owner = self._key_owner()
            owner = key_owner or self.owner_of(request.cookies)
            g.is_new_owner = owner is None
            is_host = key_owner is None and self.is_host(request)
            g.requester = Requester(owner or secrets.token_urlsafe(18), is_host)
        requester: Requester = g.requester
        return requester

    def signed(self, owner: str) -> str:
        """The cookie's value for an owner."""
        return self._owner.sign(owner)

    def is_host(self, asking: Request) -> bool:
        """Tell whether a request has the host's cookie and comes from this machine."""
        token = self._host.read(asking.cookies)
        return token is not None and self._is_token(token) and is_loopback(asking.remote_addr)

    def is_from_host(self, environ: dict[str, Any]) -> bool:
        """Tell whether a WSGI request from this machine has the host's token: cookie or address."""
        asking = Request(environ)
        return self.is_host(asking) or self._is_token(asking.args.get(HOST_PARAMETER, ""))

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode(), self.host_token.encode())

    def _take_host_token(self) -> BaseResponse | None:
        """Swap a token in the address for a cookie, so that it stays in no history and no screenshot."""
        token = request.args.get(HOST_PARAMETER)
        if token is None or request.method != "GET":
            return None
        if not (self._is_token(token) and is_loopback(request.remote_addr)):
            raise ForbiddenError(
                "This token opens nothing: it is of another start of the server, or you are not at its "
                "machine. Take the address that the server printed when it started."
            )
        path = "/" + request.path.lstrip("/")
        # A clean address; only the overlay is told by its address what to show.
        page = with_query(path, without=HOST_PARAMETER) if path == OVERLAY_PAGE else path
        answer = redirect(site_path(page))
        self._set(answer, self._host, token, max_age=None)
        return answer

    def _send_owner(self, response: Response) -> Response:
        # Over plain HTTP the network may read along, and the page about trust is all that others get there.
        is_page = (
            response.mimetype == "text/html" and response.status_code == 200 and request.blueprint != "trust"
        )
        if is_page or "requester" in g:
            requester = self.requester()
            # Renewed with each page, so that it does not run out while it is used.
            if g.is_new_owner or is_page:
                self._set(response, self._owner, requester.owner, max_age=_MAX_AGE_S)
        return response

    def _set(self, response: BaseResponse, cookie: SignedCookie, text: str, *, max_age: int | None) -> None:
        options = cookie.options(is_secure=request.is_secure)
        response.set_cookie(value=cookie.sign(text), max_age=max_age, **options)
        # A proxy that kept the answer would give one browser's cookie, and with it its sessions, to another.
        keep_private(response)

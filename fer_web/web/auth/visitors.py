"""Lets visitors in by their links, and keeps everybody else from the network out."""

import math
import time
from collections.abc import Callable

from flask import Blueprint, Flask, g, make_response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from fer_web.errors import LinkNeededError, LinkUnknownError, NotFoundError, ShareError, SharingStoppedError
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.guessing import AddressGuessLimiter, GuessLimiter
from fer_web.sharing.keys import ApiKey
from fer_web.sharing.links import LinkBook
from fer_web.sharing.types import Admission, Link
from fer_web.sharing.visitor_registry import VisitorRegistry
from fer_web.web.answers import keep_private
from fer_web.web.auth.owners import OVERLAY_PAGE, with_query
from fer_web.web.request_values import IMPORT_PATH, OPERATING_PATHS, is_write, site_path

OPEN_PATHS = ("/static/", "/vendor/", "/trust", "/l/", *OPERATING_PATHS)
"""Everybody gets these; they hold nothing of anybody, or ask for proof themselves."""

_SESSION_PAGE = "/history/"
_SESSION_API = "/api/v1/sessions/"
_SESSION_PARTS = ("", "/samples", "/summary", "/export")


class VisitorAccess:
    """Asks for a link or a key before every page and every address of the API."""

    def __init__(
        self,
        authenticator: Authenticator,
        links: LinkBook,
        visitors: VisitorRegistry,
        limiter: GuessLimiter | None = None,
        clock: Callable[[], float] = time.time,
        key_of_request: Callable[[], ApiKey | None] = lambda: None,
    ) -> None:
        """Args:
        clock: seconds since 1970, as that of `links`.
        key_of_request: a program's key that came with the current request; raises KeyRefusedError.
        """
        self._key_of_request = key_of_request
        self._authenticator = authenticator
        self._links = links
        self._visitors = visitors
        self._limiter = limiter or AddressGuessLimiter()
        self._clock = clock

    def register(self, app: Flask) -> None:
        """Ask everybody for a link, and open links. To be registered before what asks for more."""
        app.before_request(self._let_in)
        app.register_blueprint(self._blueprint())

    def admission(self) -> Admission:
        """Tell who makes the current request.

        Raises: ShareError: a cookie no longer opens, and says why. KeyRefusedError: nor does a key.
        """
        if "admission" not in g:
            g.admission = self._admit()
        admission: Admission = g.admission
        return admission

    def _admit(self) -> Admission:
        if key := self._key_of_request():
            return Admission(self._authenticator.is_local(request.remote_addr), key=key.id)
        return self._authenticator.admit(request.remote_addr, request.cookies)

    def _let_in(self) -> BaseResponse | None:
        if request.path.startswith(OPEN_PATHS):
            return None
        admission = self.admission()
        if admission.is_local or admission.key is not None:
            return None
        if admission.link is None:
            raise LinkNeededError(
                "This server is open to those with a link. Ask the person who runs it: their page has a "
                "Share button, which shows a code to scan."
            )
        return _check_path(admission.link)

    def _blueprint(self) -> Blueprint:
        routes = Blueprint("visitors", __name__)

        @routes.get("/l/<token>")
        def open_link(token: str) -> BaseResponse:
            link = self._redeem(token)
            # Who watches is told by the address what to show.
            return self._open(link, with_query(home_of(link)) if link.kind == "watch" else None)

        @routes.get("/l/<token>/overlay")
        def open_overlay(token: str) -> BaseResponse:
            link = self._redeem(token)
            return self._open(link, with_query(OVERLAY_PAGE) if link.kind == "watch" else None)

        return routes

    def _open(self, link: Link, page: str | None = None) -> BaseResponse:
        answer = redirect(site_path(page or home_of(link)), 303)
        if request.method == "GET":  # HEAD only asks, as programs do that show where a link leads
            self._welcome(answer, link)
        return keep_private(answer)

    def _redeem(self, token: str) -> Link:
        self._limiter.check(request.remote_addr)
        try:
            return self._links.redeem(token)
        except LinkUnknownError:
            self._limiter.failed(request.remote_addr)
            raise

    def _welcome(self, answer: BaseResponse, link: Link) -> None:
        """Swap the token in the address for a cookie that no script can read."""
        visitor = self._visitors.arrive(
            link,
            address=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", ""),
            visitor=self._known_visitor(),
        )
        answer.set_cookie(
            value=self._authenticator.signed(visitor, link.id),
            max_age=math.ceil(max(0.0, link.expires_s - self._clock())),
            **self._authenticator.cookie_options(is_secure=request.is_secure),
        )

    def _known_visitor(self) -> str | None:
        try:
            return self._authenticator.visitor_of(request.cookies)
        except SharingStoppedError:  # of an earlier run of the server
            return None


def home_of(link: Link) -> str:
    """The page that a link opens."""
    if link.kind == "session":
        return f"{_SESSION_PAGE}{link.session}"
    return "/watch" if link.kind == "watch" else "/"


def _check_path(link: Link) -> BaseResponse | None:
    """Let a visitor go where the link leads; the live page sends those of other links there."""
    if link.kind == "join":
        if request.path == IMPORT_PATH:
            # Files of 400 MB would fill the host's disk.
            raise ShareError("Sessions are imported at the host's own machine only. Ask the host to do it.")
        return None
    if request.path == "/" and not is_write():
        return make_response(redirect(site_path(home_of(link)), 303))
    if link.kind == "watch" and request.path in ("/watch", OVERLAY_PAGE):
        return None
    if link.kind != "session":
        raise _elsewhere()
    _check_session(link)
    return None


def _check_session(link: Link) -> None:
    for prefix, parts in ((_SESSION_PAGE, ("",)), (_SESSION_API, _SESSION_PARTS)):
        if request.path in [f"{prefix}{link.session}{part}" for part in parts]:
            if is_write():
                raise ShareError("Your link lets you read this session, not change it.")
            return
        if request.path.startswith(prefix) and not is_write():
            raise NotFoundError("There is no such session here, or your link does not show it.")
    raise _elsewhere()


def _elsewhere() -> ShareError:
    return ShareError("Your link opens one page, and this is another one.")

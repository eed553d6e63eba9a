"""Decides who may connect: connect handlers ask it before anything is kept of a client."""

from collections.abc import Callable
from typing import TypeVar

from flask import request
from flask_socketio import ConnectionRefusedError

from fer_web.errors import LinkNeededError, ShareError
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.guessing import group_of
from fer_web.sharing.places import Sender
from fer_web.sharing.types import HOST_LINK, Admission, Link
from fer_web.sharing.visitor_registry import EndSocket, VisitorRegistry

_T = TypeVar("_T")


class SocketAdmission:
    """Lets the socket of the current request in or refuses it, and ends it when its link ends.

    A refusal is python-socketio's ConnectionRefusedError: the client gets the message, and the error's wire
    form as its data.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        visitors: VisitorRegistry,
        is_host: Callable[[], bool] = lambda: False,
        owner_of_request: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Args:
        is_host: whether the host makes the current request.
        owner_of_request: who the browser of the current request is; None where it has no cookie.
        """
        self._owner_of_request = owner_of_request
        self._is_host = is_host
        self._authenticator = authenticator
        self._visitors = visitors

    def enter_live(self, sid: str, end: EndSocket) -> Sender:
        """A live page connects; returns whom its streams are counted for.

        Args: end: says a reason on this socket and disconnects it, without waiting; in any thread.
        Raises: ConnectionRefusedError.
        """
        return self._or_refuse(lambda: self._enter_live(sid, end))

    def enter_watch(self, sid: str, end: EndSocket) -> tuple[str, Link]:
        """A watch page connects; returns the visitor and its link. Arguments and errors as `enter_live`."""
        return self._or_refuse(lambda: self._enter_watch(sid, end))

    def leave(self, sid: str) -> None:
        """A socket is gone, whether it was let in or not."""
        self._visitors.disconnect(sid)

    def set_streaming(self, sid: str, is_streaming: bool) -> None:
        """Note whether a socket sends frames; may be called for each of them."""
        self._visitors.set_streaming(sid, is_streaming)

    def _enter_live(self, sid: str, end: EndSocket) -> Sender:
        admission = self._authenticator.admit(request.remote_addr, request.cookies)
        if admission.is_unknown:
            raise LinkNeededError(
                "This server is open to those with a link. Ask the host for one, and open it in this browser."
            )
        if not admission.may_stream:
            raise ShareError("Your link lets you look, not join. Ask the host for a link to join.")
        if not admission.is_local:
            self._register(sid, admission, end)
        return self._sender_of(admission)

    def _sender_of(self, admission: Admission) -> Sender:
        address = "" if admission.is_local else group_of(request.remote_addr)
        if admission.visitor is None or self._is_host():
            return Sender(self._owner_of_request() or "", address, is_local=admission.is_local)
        return Sender(admission.visitor, address, is_guest=True, is_local=admission.is_local)

    def _enter_watch(self, sid: str, end: EndSocket) -> tuple[str, Link]:
        # This machine too: what it watches is what the link shows.
        admission = self._watching_admission()
        if not admission.may_watch and self._is_host():
            return HOST_LINK.id, HOST_LINK
        if not admission.may_watch:
            raise LinkNeededError(
                "Watching takes a link. Ask the host for one that lets you watch, and open it."
            )
        return self._register(sid, admission, end)

    def _watching_admission(self) -> Admission:
        try:
            return self._authenticator.admit_by_link(request.cookies)
        except ShareError:
            if self._is_host():  # a link that is over takes nothing from the host
                return Admission(is_local=True)
            raise

    def _register(self, sid: str, admission: Admission, end: EndSocket) -> tuple[str, Link]:
        visitor, link = admission.visitor, admission.link
        if visitor is None or link is None:  # the types allow it, the authenticator does not
            raise LinkNeededError("Open your link again.")
        self._visitors.connect(visitor, sid, end)
        try:
            self._check_still(link)  # it may have ended meanwhile, when nobody knew of sid
        except ShareError:
            self._visitors.disconnect(sid)
            raise
        return visitor, link

    def _check_still(self, link: Link) -> None:
        now = self._authenticator.admit_by_link(request.cookies).link
        if now is None or now.id != link.id:
            # The socket would end with the other link, and outlive the one that let it in.
            raise LinkNeededError("You opened another link meanwhile. Load its page again.")

    def _or_refuse(self, enter: Callable[[], _T]) -> _T:
        try:
            return enter()
        except ShareError as exc:
            raise ConnectionRefusedError(str(exc), exc.to_wire()) from exc

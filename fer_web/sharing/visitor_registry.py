"""Remembers who came in by a link, and the sockets that end with it."""

import dataclasses
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fer_web.errors import NotFoundError, ServerFullError, ShareError, VisitorRemovedError
from fer_web.sharing.types import Link
from fer_web.sharing.user_agents import UNKNOWN_DEVICE, device_of

_log = logging.getLogger(__name__)

MAX_VISITORS = 1000
"""Visitors known at the same time. Past it, the first to come that has no connection is forgotten."""

EndSocket = Callable[[ShareError], None]


@dataclass(frozen=True)
class Visitor:
    """One browser that opened a link.

    Attributes:
        link: id of the link that it opened last.
        device: such as "Chrome on Android".
        since_s: when it first came, in seconds since 1970.
        connections: its open sockets.
        is_streaming: whether one of them sends frames.
    """

    id: str
    link: str
    device: str
    address: str
    since_s: float
    connections: int
    is_streaming: bool


@dataclass
class _Socket:
    visitor: str
    link: str  # the one that let it in: a visitor may open another link meanwhile
    end: EndSocket
    is_streaming: bool = False


@dataclass
class _Presence:
    visitor: Visitor
    sids: set[str] = field(default_factory=set)
    created_s: float = 0.0  # when its link was made


class VisitorRegistry:
    """All visitors of this server. Its methods may be called in any thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Args: clock: seconds since 1970."""
        self._clock = clock
        self._lock = threading.Lock()  # held for assignments only, never while something is called
        self._presences: OrderedDict[str, _Presence] = OrderedDict()  # by visitor, the oldest first
        self._sockets: dict[str, _Socket] = {}  # by sid
        self._removed_s: OrderedDict[str, float] = OrderedDict()  # when a visitor was removed
        self._elsewhere: dict[str, dict[str, Visitor]] = {}  # by other process and visitor
        self._on_removed: Callable[[str, float], None] = lambda visitor_id, removed_s: None

    def arrive(self, link: Link, *, address: str, user_agent: str, visitor: str | None) -> str:
        """Somebody opened a link; returns the visitor's id.

        Args: visitor: the id of a cookie that was checked; it stays, and now has this link.
        Raises: VisitorRemovedError: the host removed this visitor, and the link is older than that.
            ServerFullError: as many as may be are connected.
        """
        with self._lock:
            self._check_welcome(visitor, link)
            known = self._presences.get(visitor or "")
            visitor_id = visitor or secrets.token_urlsafe(12)
            self._removed_s.pop(visitor_id, None)
            if known is None:
                self._make_room()
            since_s = known.visitor.since_s if known else self._clock()
            now = Visitor(visitor_id, link.id, device_of(user_agent), address, since_s, 0, False)
            self._presences[visitor_id] = _Presence(now, known.sids if known else set(), link.created_s)
        return visitor_id

    def all(self) -> list[Visitor]:
        """Every visitor, the newest first; of several processes each visitor once."""
        with self._lock:
            lists = [self._own(), *(list(each.values()) for each in self._elsewhere.values())]
        merged: dict[str, Visitor] = {}
        for visitor in (each for own in lists for each in own):
            known = merged.get(visitor.id)
            merged[visitor.id] = _merged(known, visitor) if known else visitor
        if len(lists) == 1:
            return list(merged.values())
        return sorted(merged.values(), key=lambda visitor: -visitor.since_s)

    def own(self) -> list[Visitor]:
        """The visitors of this process, the newest first."""
        with self._lock:
            return self._own()

    def set_elsewhere(self, process: str, visitors: Sequence[Visitor]) -> None:
        """Note the visitors of another process; an empty list forgets the process."""
        with self._lock:
            self._elsewhere.pop(process, None)
            if visitors:
                self._elsewhere[process] = {visitor.id: visitor for visitor in visitors}

    def adopt(self, visitor_id: str, link: Link) -> None:
        """Know a visitor who opened a link at another process, or before this process began.

        Raises: VisitorRemovedError, ServerFullError: as `arrive`.
        """
        with self._lock:
            self._check_welcome(visitor_id, link)
            self._removed_s.pop(visitor_id, None)
            presence = self._presences.get(visitor_id)
            if presence is not None:
                presence.visitor = dataclasses.replace(presence.visitor, link=link.id)
                return
            self._make_room()
            known = next((each[visitor_id] for each in self._elsewhere.values() if visitor_id in each), None)
            device, address = (known.device, known.address) if known else (UNKNOWN_DEVICE, "")
            since_s = known.since_s if known else self._clock()
            self._presences[visitor_id] = _Presence(
                Visitor(visitor_id, link.id, device, address, since_s, 0, False), created_s=link.created_s
            )

    def subscribe_removed(self, on_removed: Callable[[str, float], None]) -> None:
        """Call `on_removed` with each visitor whom this process removes, and when, in seconds since 1970."""
        self._on_removed = on_removed

    def note_removed(self, visitor_id: str, removed_s: float) -> None:
        """Another process removed a visitor: its sockets here end too."""
        with self._lock:
            known = self._presences.get(visitor_id)
            if self._removed_s.get(visitor_id, 0.0) >= removed_s:
                return
            if known is not None and known.created_s > removed_s:
                return  # it has opened a newer link since
            ended = self._take_out_visitor(visitor_id, removed_s)
        _end(ended, _removed())

    def link_of(self, visitor_id: str) -> str | None:
        """Id of the link of a visitor; None of one that is not known. Raises VisitorRemovedError."""
        with self._lock:
            if visitor_id in self._removed_s:
                raise _removed()
            presence = self._presences.get(visitor_id)
            return presence.visitor.link if presence else None

    def connect(self, visitor_id: str, sid: str, end: EndSocket) -> None:
        """A visitor's socket is there.

        Args: end: says the reason on that socket and disconnects it, without waiting; in any thread.
        Raises: VisitorRemovedError: the visitor was removed, or forgotten, meanwhile.
        """
        with self._lock:
            presence = self._presences.get(visitor_id)
            if presence is None:
                raise _removed()
            presence.sids.add(sid)
            self._sockets[sid] = _Socket(visitor_id, presence.visitor.link, end)

    def disconnect(self, sid: str) -> None:
        """A socket is gone; of one that is nobody's, nothing happens."""
        with self._lock:
            self._take_out(sid)

    def set_streaming(self, sid: str, is_streaming: bool) -> None:
        """Note whether a socket sends frames; of one that is nobody's, nothing happens."""
        with self._lock:
            if sid in self._sockets:
                self._sockets[sid].is_streaming = is_streaming

    def remove(self, visitor_id: str) -> None:
        """End a visitor's sockets and refuse its cookie, until it opens a link made later.

        Raises: NotFoundError.
        """
        removed_s = self._clock()
        with self._lock:
            is_elsewhere = any(visitor_id in each for each in self._elsewhere.values())
            if visitor_id not in self._presences and not is_elsewhere:
                raise NotFoundError("There is no such visitor. They may have gone; load the list again.")
            ended = self._take_out_visitor(visitor_id, removed_s)
        _end(ended, _removed())
        self._on_removed(visitor_id, removed_s)

    def end_link(self, link_id: str, reason: ShareError) -> None:
        """End the sockets that a link let in. Its visitors stay known, so that they hear why."""
        with self._lock:
            ended = self._take_sockets(lambda socket: socket.link == link_id)
        _end(ended, reason)

    def _take_out_visitor(self, visitor_id: str, removed_s: float) -> list[_Socket]:
        self._presences.pop(visitor_id, None)
        for visitors in self._elsewhere.values():
            visitors.pop(visitor_id, None)
        self._removed_s[visitor_id] = removed_s
        while len(self._removed_s) > MAX_VISITORS:
            self._removed_s.popitem(last=False)
        return self._take_sockets(lambda socket: socket.visitor == visitor_id)

    def _own(self) -> list[Visitor]:
        return [self._as_seen(presence) for presence in reversed(self._presences.values())]

    def _check_welcome(self, visitor_id: str | None, link: Link) -> None:
        removed_s = self._removed_s.get(visitor_id or "")
        if removed_s is not None and link.created_s <= removed_s:
            raise _removed()

    def _make_room(self) -> None:
        if len(self._presences) < MAX_VISITORS:
            return
        idle = next((each for each, presence in self._presences.items() if not presence.sids), None)
        if idle is None:
            raise ServerFullError(
                f"{MAX_VISITORS} visitors are connected, more are not allowed. Try again later."
            )
        del self._presences[idle]

    def _take_sockets(self, is_ended: Callable[[_Socket], bool]) -> list[_Socket]:
        sids = [sid for sid, socket in self._sockets.items() if is_ended(socket)]
        return [socket for sid in sids if (socket := self._take_out(sid))]

    def _take_out(self, sid: str) -> _Socket | None:
        socket = self._sockets.pop(sid, None)
        if socket and (presence := self._presences.get(socket.visitor)):
            presence.sids.discard(sid)
        return socket

    def _as_seen(self, presence: _Presence) -> Visitor:
        streams = any(self._sockets[sid].is_streaming for sid in presence.sids)
        return dataclasses.replace(presence.visitor, connections=len(presence.sids), is_streaming=streams)


def _merged(one: Visitor, other: Visitor) -> Visitor:
    return dataclasses.replace(
        one,
        device=one.device if one.address else other.device,
        address=one.address or other.address,
        since_s=min(one.since_s, other.since_s),
        connections=one.connections + other.connections,
        is_streaming=one.is_streaming or other.is_streaming,
    )


def _removed() -> VisitorRemovedError:
    return VisitorRemovedError("The host has removed you. Ask the host for a new link if that was a mistake.")


def _end(sockets: list[_Socket], reason: ShareError) -> None:
    for socket in sockets:
        try:
            socket.end(reason)
        except Exception:  # whatever one socket has, the others must end
            _log.exception("A visitor's socket did not end")

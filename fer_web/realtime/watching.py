"""Shows a stream to those whom a link lets watch it, without holding up the stream."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fer_web.backplane.types import CONNECTED, Backplane, Message, NoBackplane
from fer_web.errors import FerWebError, NotFoundError, SlowReaderError
from fer_web.inference.results import FrameResult
from fer_web.realtime.protocol import state_to_wire, view_to_wire, watched_to_wire
from fer_web.realtime.scheduler import Concurrency
from fer_web.realtime.watch_board import Due, OwnStream, View, WatchBoard, WatcherAt
from fer_web.sharing.types import HOST_LINK, Link
from fer_web.vision.frames import jpeg_size_hw

_log = logging.getLogger(__name__)

NAMESPACE = "/watch"

TELL_S = 2.0
"""Seconds between two lists of who streams and watches at this process."""

GONE_S = 7.0
"""A process that has told nothing for so long has ended, however it did."""

_WATCHING = "watching"
_VIEW = "view"

MAX_UNREAD_PACKETS = 20
"""Packets that may wait for one watcher: two seconds of views, one with the pictures."""


class Outlet(Protocol):
    """An outlet reaches clients: by Socket.IO, from the server's own threads only."""

    def emit(self, event: str, *arguments: Any, to: list[str], namespace: str) -> None:
        """Send an event to these clients; it is encoded once for all."""

    def queued_packets(self, sid: str, namespace: str = "/") -> int:
        """Packets that the client has not read."""
        ...

    def close(self, sid: str, error: FerWebError, namespace: str = "/") -> None:
        """Say why, then disconnect."""


class WatchHub:
    """Takes what happens to streams, watchers and links, from any thread; `run` sends what follows from it.

    Of each stream the newest result waits alone, for a tenth of a second at most and in memory only. A link
    is looked up at the moment of sending, so that its picture ends with the host's decision.
    """

    def __init__(
        self,
        outlet: Outlet,
        concurrency: Concurrency,
        owner_of_request: Callable[[], str | None],
        link_of: Callable[[str], Link],
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        backplane: Backplane | None = None,
    ) -> None:
        """Args:
        backplane: reaches the other processes of the service; by default there are none.
        owner_of_request: who the browser of the current request is; None where it has no cookie.
        link_of: a link as it is now; raises NotFoundError.
        clock, wall_clock: seconds, monotonic and since 1970.
        """
        self._outlet = outlet
        self._concurrency = concurrency
        self._owner_of_request = owner_of_request
        self._link_of = link_of
        self._clock = clock
        self._wall_clock = wall_clock
        self._board = WatchBoard()
        # Held for a few assignments only, never over a switch of green threads and never over another lock.
        self._news = threading.Condition(threading.Lock())
        self._is_stopping = False
        self._backplane = backplane or NoBackplane()
        self._heard_s: dict[str, float] = {}  # by other process
        self._backplane.subscribe(_WATCHING, self._take_watching)
        self._backplane.subscribe(_VIEW, self._take_view)
        self._backplane.subscribe(CONNECTED, lambda _message: self.tell_others())

    def page_arrived(self, sid: str, *, is_local: bool = False) -> None:
        """The browser of the current request has its live page open; is_local: on this machine."""
        owner = self._owner_of_request()
        if owner is not None:
            with self._news:
                self._board.add_page(sid, owner, is_local=is_local)
                self._news.notify()

    def page_left(self, sid: str) -> None:
        """That page is gone."""
        with self._news:
            self._board.remove_page(sid)
            self._news.notify()
        self.tell_others()

    def stream_began(self, sid: str) -> None:
        """A page sends frames; may be called for each of them."""
        with self._news:
            has_begun = self._board.begin_stream(sid)
            if has_begun:
                self._news.notify()
        if has_begun:
            self.tell_others()

    def stream_ended(self, sid: str) -> None:
        """A page sends no more frames."""
        with self._news:
            self._board.end_stream(sid)
            self._news.notify()
        self.tell_others()

    def person_named(self, sid: str, face: int, name: str) -> None:
        """A page says what the person of a face of its stream is called; empty takes the name away."""
        with self._news:
            self._board.name_person(sid, face, name)

    def observe(self, client: str, captured_s: float, result: FrameResult, jpeg: bytes) -> None:
        """Take a result; an Observer of the scheduler."""
        with self._news:
            if self._board.put_view(client, View(captured_s, result, jpeg)):
                self._news.notify()

    def watcher_arrived(self, sid: str, visitor: str, link: Link) -> None:
        """A visitor watches; `link` is of the kind "watch", or the host's."""
        with self._news:
            if link is HOST_LINK:
                self._board.add_follower(sid, visitor=visitor, link=link.id)
            else:
                self._board.add_watcher(sid, visitor=visitor, link=link.id, owner=link.owner or "")
            self._news.notify()
        self.tell_others()

    def watcher_left(self, sid: str) -> None:
        """A visitor watches no more."""
        with self._news:
            self._board.remove_watcher(sid)
            self._news.notify()
        self.tell_others()

    def link_changed(self, link: Link) -> None:
        """Note that a link shows something else; for LinkBook.subscribe."""
        if link.kind == "watch" and link.owner is not None:
            with self._news:
                self._board.tell_again(link.owner)
                self._news.notify()

    def tell_others(self) -> None:
        """Tell the other processes who streams and watches here; forget those that tell nothing more."""
        if not self._backplane.is_shared:
            return
        with self._news:
            streams, watchers = self._board.own_streams(), self._board.own_watchers()
            for process, heard_s in list(self._heard_s.items()):
                if self._clock() - heard_s > GONE_S:
                    del self._heard_s[process]
                    self._board.set_elsewhere(process, [], [])
                    self._news.notify()
        body = {
            "streams": [dataclasses.astuple(stream) for stream in streams],
            "watchers": [dataclasses.astuple(watcher) for watcher in watchers],
        }
        self._backplane.publish(_WATCHING, body, key=_WATCHING)

    def _take_watching(self, message: Message) -> None:
        streams = [OwnStream(*each) for each in message.body["streams"]]
        watchers = [WatcherAt(*each) for each in message.body["watchers"]]
        with self._news:
            is_new = message.sender not in self._heard_s
            self._heard_s[message.sender] = self._clock()
            self._board.set_elsewhere(message.sender, streams, watchers)
            self._news.notify()
        if is_new:
            self.tell_others()

    def _take_view(self, message: Message) -> None:
        view = View(0.0, None, message.blob, message.body["wire"])
        with self._news:
            if self._board.put_view(f"{message.sender}/{message.body['stream']}", view):
                self._news.notify()

    def run(self) -> None:
        """Send what is due until `stop`; runs beside the handlers."""
        while (due := self._concurrency.run_native(self.wait_for_due)) is not None:
            for each in due:
                try:
                    self._send(each)
                except Exception:
                    _log.exception("Watchers could not be told; the next time they may")

    def stop(self) -> None:
        """End `run`."""
        with self._news:
            self._is_stopping = True
            self._news.notify_all()

    def wait_for_due(self) -> list[Due] | None:
        """Return what is to be sent next; blocks until there is something. None at the end."""
        with self._news:
            while not self._is_stopping:
                due_s = self._board.next_due_s()
                wait_s = None if due_s is None else due_s - self._clock()
                if wait_s is not None and wait_s <= 0:
                    return self._board.take_due(self._clock())
                self._news.wait(wait_s)
        return None

    def _send(self, due: Due) -> None:
        links = {link: self._current(link) for link in {*due.watchers, *due.links_elsewhere}}
        if due.has_changed:
            self._send_state(due, links)
        if due.view is not None:
            self._send_view(due, due.view, links)

    def _send_state(self, due: Due, links: dict[str, Link | None]) -> None:
        for link_id, sids in due.watchers.items():
            link = links[link_id]
            if link is not None:
                state = state_to_wire(due.is_live, link.video, link.name, due.people)
                self._emit("state", state, to=self._reading(sids), namespace=NAMESPACE)
        has_video = any(link is not None and link.video for link in links.values())
        self._emit("watched", watched_to_wire(due.people, has_video), to=list(due.pages), namespace="/")

    def _send_view(self, due: Due, view: View, links: dict[str, Link | None]) -> None:
        with_video: list[str] = []
        without: list[str] = []
        for link_id, sids in due.watchers.items():
            link = links[link_id]
            if link is not None:
                (with_video if link.video else without).extend(self._reading(sids))
        wire = _wire_of(view, due.names)
        if due.links_elsewhere and view.result is not None:
            self._send_elsewhere(due, view, wire)
        self._emit("view", wire, view.jpeg, to=with_video, namespace=NAMESPACE)
        self._emit("view", wire, to=without, namespace=NAMESPACE)

    def _send_elsewhere(self, due: Due, view: View, wire: dict[str, Any]) -> None:
        shown = [self._current(link_id) for link_id in due.links_elsewhere]
        jpeg = view.jpeg if any(link is not None and link.video for link in shown) else b""
        body = {"stream": due.stream, "wire": wire}
        self._backplane.publish(_VIEW, body, jpeg, key=f"{_VIEW} {due.stream}")

    def _emit(self, event: str, *arguments: Any, to: list[str], namespace: str) -> None:
        if to:
            self._outlet.emit(event, *arguments, to=to, namespace=namespace)

    def _reading(self, sids: tuple[str, ...]) -> list[str]:
        """Those who read what they get; the others are ended."""
        return [sid for sid in sids if not self._is_slow(sid)]

    def _is_slow(self, sid: str) -> bool:
        unread = self._outlet.queued_packets(sid, NAMESPACE)
        if unread <= MAX_UNREAD_PACKETS:
            return False
        text = (
            f"The connection is too slow: {unread} packets wait to be read, {MAX_UNREAD_PACKETS} are allowed."
        )
        self._outlet.close(sid, SlowReaderError(text), NAMESPACE)
        return True

    def _current(self, link_id: str) -> Link | None:
        """The link as it is now; None where it shows nothing any more."""
        if link_id == HOST_LINK.id:
            return HOST_LINK
        try:
            link = self._link_of(link_id)
        except NotFoundError:
            return None
        return link if link.state(self._wall_clock()) == "open" else None


def _wire_of(view: View, names: Mapping[int, str]) -> dict[str, Any]:
    if view.result is None:
        return view.wire or {}
    return view_to_wire(view.captured_s, view.result, jpeg_size_hw(view.jpeg), names)

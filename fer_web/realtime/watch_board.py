"""Keeps who watches whose stream, and what is due. Pure: time is passed in, nothing is locked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fer_web.inference.results import FrameResult

INTERVAL_S = 0.1
"""Seconds between two views of one stream, and between two states of it."""

MAX_NAMES = 100
"""Names of people of one stream that watchers see; the oldest goes."""


@dataclass(frozen=True)
class View:
    """The newest result of a stream that is watched.

    Attributes:
        captured_s: seconds of the streaming client's clock.
        result: of this process's own analysis; None where another process has sent the view.
        jpeg: the frame's bytes as they came; whether they go out is decided for each link when they would.
        wire: the view as another process has sent it; None where it is our own.
    """

    captured_s: float
    result: FrameResult | None
    jpeg: bytes
    wire: dict[str, Any] | None = None


@dataclass(frozen=True)
class Due:
    """This is to be sent about one owner's stream now.

    Attributes:
        watchers: clients by the id of the link that let them in.
        pages: the owner's own live pages.
        people: how many visitors the watchers are; one with two tabs counts once.
        view: None: no new one.
        names: what the people of its faces are called, by the face's id.
        has_changed: watchers and pages should hear the state again.
        stream: the client whose stream it is; None where none runs.
        links_elsewhere: ids of the links by which people watch at other processes.
    """

    watchers: dict[str, tuple[str, ...]]
    pages: tuple[str, ...]
    people: int
    is_live: bool
    view: View | None
    has_changed: bool
    stream: str | None = None
    links_elsewhere: frozenset[str] = frozenset()
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Watcher:
    visitor: str
    link: str


@dataclass(frozen=True)
class OwnStream:
    """A stream of this process. Attributes: is_local: comes from this machine."""

    sid: str
    owner: str
    is_local: bool


@dataclass(frozen=True)
class WatcherAt:
    """Somebody watches an owner's streams, at whichever process."""

    visitor: str
    link: str
    owner: str


@dataclass
class _Scene:
    """Everything about one owner. `streams` stand in the order in which they began."""

    pages: set[str] = field(default_factory=set)
    streams: list[str] = field(default_factory=list)
    watchers: dict[str, _Watcher] = field(default_factory=dict)
    names: dict[str, dict[int, str]] = field(default_factory=dict)
    elsewhere: dict[str, tuple[_Watcher, ...]] = field(default_factory=dict)  # by process
    view: View | None = None
    next_view_s: float = 0.0
    has_changed: bool = False
    next_state_s: float = 0.0

    def due_s(self) -> float | None:
        """Tell when something is to be sent; None: nothing waits."""
        times = [self.next_view_s] if self.view is not None else []
        return min([*times, self.next_state_s] if self.has_changed else times, default=None)

    def take(self, now_s: float) -> Due:
        view = self.view if now_s >= self.next_view_s else None
        has_changed = self.has_changed and now_s >= self.next_state_s
        if view is not None:
            self.view, self.next_view_s = None, now_s + INTERVAL_S
        if has_changed:
            self.has_changed, self.next_state_s = False, now_s + INTERVAL_S
        watchers = defaultdict(list)
        for sid, watcher in self.watchers.items():
            watchers[watcher.link].append(sid)
        elsewhere = [watcher for each in self.elsewhere.values() for watcher in each]
        return Due(
            watchers={link: tuple(sids) for link, sids in watchers.items()},
            pages=tuple(self.pages),
            people=len({watcher.visitor for watcher in [*self.watchers.values(), *elsewhere]}),
            is_live=bool(self.streams),
            view=view,
            has_changed=has_changed,
            stream=self.streams[-1] if self.streams else None,
            links_elsewhere=frozenset(watcher.link for watcher in elsewhere),
            names=dict(self.names.get(self.streams[-1], {})) if self.streams else {},
        )

    @property
    def is_needed(self) -> bool:
        """Whether anybody is there, here or at another process."""
        return bool(self.pages or self.watchers or self.streams or self.elsewhere)

    @property
    def is_watched(self) -> bool:
        """Whether somebody watches, here or at another process."""
        return bool(self.watchers or self.elsewhere)


NOBODY = ""
"""Owner of the scene where a follower waits for the first stream; no page has it."""


class WatchBoard:
    """The scenes of all owners. A watcher sees the owner's stream that began last.

    A follower goes from scene to scene: it sees the stream of this machine that began last.
    """

    def __init__(self) -> None:
        self._scenes: dict[str, _Scene] = {}
        self._owner_of_page: dict[str, str] = {}
        self._owner_of_watcher: dict[str, str] = {}
        self._local_pages: set[str] = set()
        self._local_streams: list[str] = []
        self._followers: dict[str, _Watcher] = {}
        self._streams_elsewhere: dict[str, set[str]] = {}  # pages' ids by process

    def own_streams(self) -> list[OwnStream]:
        """The streams of this process."""
        elsewhere = {sid for sids in self._streams_elsewhere.values() for sid in sids}
        return [
            OwnStream(sid, owner, sid in self._local_pages)
            for owner, scene in self._scenes.items()
            for sid in scene.streams
            if sid not in elsewhere
        ]

    def own_watchers(self) -> list[WatcherAt]:
        """Who watches at this process."""
        return [
            WatcherAt(watcher.visitor, watcher.link, owner)
            for owner, scene in self._scenes.items()
            for watcher in scene.watchers.values()
        ]

    def set_elsewhere(
        self, process: str, streams: Sequence[OwnStream], watchers: Sequence[WatcherAt]
    ) -> None:
        """Note the streams and watchers of another process; empty ones forget the process."""
        sids = {f"{process}/{stream.sid}" for stream in streams}
        for gone in self._streams_elsewhere.get(process, set()) - sids:
            self.remove_page(gone)
        for stream in streams:
            sid = f"{process}/{stream.sid}"
            if sid not in self._owner_of_page:
                self._register_page(sid, stream.owner, is_local=stream.is_local)
                self.begin_stream(sid)
        self._streams_elsewhere[process] = sids
        self._set_watchers_elsewhere(process, watchers)
        if not sids and not watchers:
            del self._streams_elsewhere[process]

    def _set_watchers_elsewhere(self, process: str, watchers: Sequence[WatcherAt]) -> None:
        by_owner = defaultdict(list)
        for watcher in watchers:
            by_owner[watcher.owner].append(_Watcher(watcher.visitor, watcher.link))
        for owner in [*by_owner, *self._scenes]:
            scene = self._scenes.setdefault(owner, _Scene())
            now = tuple(by_owner.get(owner, ()))
            if scene.elsewhere.get(process, ()) == now:
                self._tidy(owner)
                continue
            scene.elsewhere.pop(process, None)
            if now:
                scene.elsewhere[process] = now
            scene.has_changed = bool(scene.pages or scene.watchers)
            self._tidy(owner)

    def add_page(self, sid: str, owner: str, *, is_local: bool = False) -> None:
        """A live page of this owner is there; it learns at once whether anybody watches.

        Args: is_local: on this machine, so that followers see its stream.
        """
        scene = self._register_page(sid, owner, is_local=is_local)
        scene.pages.add(sid)
        scene.has_changed = True

    def _register_page(self, sid: str, owner: str, *, is_local: bool) -> _Scene:
        self._owner_of_page[sid] = owner
        if is_local:
            self._local_pages.add(sid)
        return self._scenes.setdefault(owner, _Scene())

    def remove_page(self, sid: str) -> None:
        """The page is gone, and its stream with it."""
        self.end_stream(sid)
        owner = self._owner_of_page.pop(sid, None)
        if owner is None:
            return
        self._local_pages.discard(sid)
        if owner in self._scenes:  # a follower may have left the last scene of a page elsewhere
            self._scenes[owner].pages.discard(sid)
            self._tidy(owner)

    def begin_stream(self, sid: str) -> bool:
        """A page sends frames; False where that was known, or the page is gone."""
        scene = self._scene_of_page(sid)
        if scene is None or sid in scene.streams:
            return False
        scene.streams.append(sid)
        scene.has_changed = True
        if sid in self._local_pages:
            self._local_streams.append(sid)
            self._lead_followers()
        return True

    def end_stream(self, sid: str) -> None:
        """The page sends no more frames."""
        scene = self._scene_of_page(sid)
        if scene is None or sid not in scene.streams:
            return
        if scene.streams[-1] == sid:
            scene.view = None
        scene.streams.remove(sid)
        scene.names.pop(sid, None)
        scene.has_changed = True
        if sid in self._local_streams:
            self._local_streams.remove(sid)
            self._lead_followers()

    def name_person(self, sid: str, face: int, name: str) -> None:
        """Keep what the person of a face of a page's stream is called, as long as the stream lasts."""
        scene = self._scene_of_page(sid)
        if scene is None or sid not in scene.streams:
            return
        names = scene.names.setdefault(sid, {})
        names.pop(face, None)
        if name:
            names[face] = name
        while len(names) > MAX_NAMES:
            del names[next(iter(names))]

    def put_view(self, sid: str, view: View) -> bool:
        """A result of a page's stream; the newest takes the place of one that waits.

        Returns: whether a view waits now where none did: nothing else is news to who sends them.
        """
        scene = self._scene_of_page(sid)
        # A result that was computed while its stream ended is of no stream any more.
        if scene is None or not scene.is_watched or not scene.streams or scene.streams[-1] != sid:
            return False
        was_waiting, scene.view = scene.view is not None, view
        return not was_waiting

    def add_watcher(self, sid: str, *, visitor: str, link: str, owner: str) -> None:
        """A visitor watches this owner's streams."""
        self._owner_of_watcher[sid] = owner
        scene = self._scenes.setdefault(owner, _Scene())
        scene.watchers[sid] = _Watcher(visitor, link)
        scene.has_changed = True

    def add_follower(self, sid: str, *, visitor: str, link: str) -> None:
        """Somebody watches the newest stream of this machine, whoever owns it."""
        self._followers[sid] = _Watcher(visitor, link)
        self.add_watcher(sid, visitor=visitor, link=link, owner=self._newest_local_owner() or NOBODY)

    def remove_watcher(self, sid: str) -> None:
        """A watcher or follower is gone."""
        self._followers.pop(sid, None)
        self._leave_scene(sid)

    def _leave_scene(self, sid: str) -> None:
        owner = self._owner_of_watcher.pop(sid, None)
        if owner is None:
            return
        scene = self._scenes[owner]
        del scene.watchers[sid]
        scene.has_changed = bool(scene.pages or scene.watchers)
        if not scene.is_watched:
            scene.view = None
        self._tidy(owner)

    def tell_again(self, owner: str) -> None:
        """Something about this owner's links is different."""
        if owner in self._scenes:
            self._scenes[owner].has_changed = True

    def next_due_s(self) -> float | None:
        """Tell when something is to be sent; None: nothing waits."""
        return min(self._times(), default=None)

    def take_due(self, now_s: float) -> list[Due]:
        """Return what is to be sent now."""
        scenes = [scene for scene in self._scenes.values() if _is_due(scene, now_s)]
        return [scene.take(now_s) for scene in scenes]

    def _newest_local_owner(self) -> str | None:
        return self._owner_of_page[self._local_streams[-1]] if self._local_streams else None

    def _lead_followers(self) -> None:
        """After the last stream they stay, to be told that it has ended."""
        owner = self._newest_local_owner()
        for sid, follower in self._followers.items():
            if owner is not None and owner != self._owner_of_watcher[sid]:
                self._leave_scene(sid)
                self.add_watcher(sid, visitor=follower.visitor, link=follower.link, owner=owner)

    def _times(self) -> Iterable[float]:
        return (time_s for scene in self._scenes.values() if (time_s := scene.due_s()) is not None)

    def _scene_of_page(self, sid: str) -> _Scene | None:
        owner = self._owner_of_page.get(sid)
        return None if owner is None else self._scenes[owner]

    def _tidy(self, owner: str) -> None:
        if owner in self._scenes and not self._scenes[owner].is_needed:
            del self._scenes[owner]


def _is_due(scene: _Scene, now_s: float) -> bool:
    due_s = scene.due_s()
    return due_s is not None and due_s <= now_s

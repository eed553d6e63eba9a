"""Links: made, redeemed, ended. A link lives as long as this process; its store remembers that it was.

Where several processes are one service, each of them has all links: a link lives until it ends.
"""

import base64
import dataclasses
import hashlib
import hmac
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, get_args

from fer_web.errors import (
    DatabaseError,
    InvalidValueError,
    LinkExpiredError,
    LinkRevokedError,
    LinkUnknownError,
    NotFoundError,
    ShareError,
    SharingStoppedError,
)
from fer_web.sharing.types import Link, LinkKind
from fer_web.storage.texts import check_text

_log = logging.getLogger(__name__)

MAX_LINK_NAME = 100
MIN_HOURS = 0.05
MAX_HOURS = 720.0
MAX_OPEN_LINKS = 100
MAX_LINKS = 200
"""Links kept in memory, the ended ones among them; the oldest of those go first."""

REMEMBERED_S = 7 * 86400.0
"""A link is still told apart from one that never was for this long after its end."""

_TOKEN_BYTES = 18
_TOKEN_FORM = re.compile(r"[A-Za-z0-9_-]{24}")


@dataclass(frozen=True)
class StoredLink:
    """The store remembers this of a link: why it opens nothing, and nothing that opens it.

    Attributes: link: all of it, where several processes have it; None where it lives with its process.
    """

    token_hash: str
    created_s: float
    expires_s: float
    ended: str | None
    link: Link | None = None


class LinkStore(Protocol):
    """Remembers links beyond the process. Its verbs may block, and raise DatabaseError."""

    def save(self, link: StoredLink) -> None:
        """Store a link, or how it ended."""

    def find(self, token_hash: str) -> StoredLink | None:
        """The link of this hash; None where there is none."""

    def forget(self, before_s: float) -> None:
        """Remove the links that expired before a moment, in seconds since 1970."""

    def whole(self, after_s: float) -> list[StoredLink]:
        """The links that were stored whole and expire after a moment, the oldest first."""
        ...


@dataclass(frozen=True)
class LinkSharing:
    """A link sharing says how processes of one service have the same links.

    Attributes:
        secret: 32 bytes that they all have; tokens are derived from it, so that none is stored.
        tell: tells the other processes to look into the store; must not wait.
    """

    secret: bytes
    tell: Callable[[], None]

    def token_of(self, link_id: str) -> str:
        """The token of a link, the same in every process: 144 bits of an HMAC of its id (RFC 2104)."""
        digest = hmac.digest(self.secret, f"link {link_id}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()


@dataclass(frozen=True)
class _Entry:
    link: Link
    token: str
    token_hash: str


def hash_of(token: str) -> str:
    """Return what is stored of a token: SHA-256, in hexadecimal. 144 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


def ending_of(link: Link, now_s: float) -> ShareError | None:
    """Return why a link opens nothing; None while it is open."""
    state = link.state(now_s)
    return None if state == "open" else _ending(state)


def _ending(state: str) -> ShareError:
    if state == "revoked":
        return LinkRevokedError("The host has withdrawn this link. Ask the host for a new one.")
    if state == "stopped":
        return SharingStoppedError("The host has stopped sharing. Ask the host for a new link.")
    return LinkExpiredError("The time of this link is over. Ask the host for a new one.")


class LinkBook:
    """All links of this server. Its methods may be called in any thread."""

    def __init__(
        self,
        store: LinkStore,
        *,
        clock: Callable[[], float] = time.time,
        run_waiting: Callable[..., Any] = lambda function, *args: function(*args),
        sharing: LinkSharing | None = None,
    ) -> None:
        """Args:
        clock: seconds since 1970.
        run_waiting: calls what may block, without holding up other clients.
        sharing: how other processes have the same links; None where there is no other.
        """
        self._sharing = sharing
        self._unsaved: set[str] = set()  # ids of links that the store has not taken yet
        self._saving: set[str] = set()  # of those, the ones that are on their way
        self._store = store
        self._clock = clock
        self._run_waiting = run_waiting
        self._lock = threading.Lock()  # held for assignments only, never while something is called
        self._entries: dict[str, _Entry] = {}  # by id, the oldest first
        self._ids: dict[str, str] = {}  # by token hash
        self._announced: set[str] = set()  # ids whose end was told
        self._listeners: list[Callable[[Link], None]] = []
        self._is_store_broken = False

    def create(
        self,
        kind: LinkKind,
        name: str,
        *,
        hours: float = 12.0,
        session: str | None = None,
        owner: str | None = None,
        video: bool = False,
    ) -> tuple[Link, str]:
        """A new link and its token. Raises InvalidValueError: a value is not allowed, or too many are open.

        Args:
            hours: how long it stays open.
            session: the finished session that a "session" link shows.
            owner: whose streams a "watch" link shows.
            video: whether watchers see the picture too.
        """
        _check_kind(kind, session=session, owner=owner, video=video)
        name, now_s = _checked_name(name), self._clock()
        expires_s = now_s + 3600 * _checked_hours(hours)
        link = Link(secrets.token_urlsafe(9), kind, name, now_s, expires_s, session, owner, video)
        token = self._sharing.token_of(link.id) if self._sharing else secrets.token_urlsafe(_TOKEN_BYTES)
        entry = _Entry(link, token, hash_of(token))
        with self._lock:
            self._check_room(now_s)
            self._add(entry, now_s)
        self._remember(entry)
        return link, token

    def redeem(self, token: str) -> Link:
        """The open link of a token.

        Raises: LinkUnknownError, LinkExpiredError, LinkRevokedError, SharingStoppedError: it opens nothing.
        """
        unknown = LinkUnknownError(
            "No link has this address. Scan the code again, or ask the host for a new link."
        )
        if not _TOKEN_FORM.fullmatch(token):
            raise unknown
        token_hash, now_s = hash_of(token), self._clock()
        entry = self._entry_of(token_hash)
        if entry is None:
            ending = self._ending_of_stored(token_hash, now_s)
            # Another process may have made it a moment ago.
            entry = self._entry_of(token_hash)
            if entry is None:
                raise ending or unknown
        if ending := ending_of(entry.link, now_s):
            raise ending
        return entry.link

    def get(self, link_id: str) -> Link:
        """A link, open or not. Raises NotFoundError."""
        return self._entry(link_id).link

    def all(self) -> list[Link]:
        """Every link, the newest first."""
        with self._lock:
            return [entry.link for entry in reversed(self._entries.values())]

    def token_of(self, link_id: str) -> str | None:
        """The token of an open link; None of one that is not open, or not there."""
        with self._lock:
            entry = self._entries.get(link_id)
        return entry.token if entry and entry.link.state(self._clock()) == "open" else None

    def set_video(self, link_id: str, video: bool) -> Link:
        """Show watchers the picture, or not. Raises NotFoundError, InvalidValueError: no open watch link."""
        if type(video) is not bool:
            raise InvalidValueError(f"video must be true or false; {type(video).__name__} came.")
        with self._lock:
            link = self._entry(link_id).link
            if link.kind != "watch" or link.state(self._clock()) != "open":
                raise InvalidValueError(
                    f"The picture is shown by open watch links alone; this is a {link.kind} link that is "
                    f"{link.state(self._clock())}. Make a new watch link."
                )
            changed = self._change(link_id, video=video)
        self._announce(changed)
        if self._sharing:
            self._remember(self._entry(link_id))
        return changed

    def revoke(self, link_id: str) -> Link:
        """End a link for good; one that has ended stays as it is. Raises NotFoundError."""
        with self._lock:
            link = self._entry(link_id).link
            if link.state(self._clock()) != "open":
                return link
            ended = self._end(link_id, "revoked")
        self._announce(ended)
        self._remember(self._entry(link_id))
        return ended

    def stop(self) -> None:
        """End every open link; a later create() shares again."""
        with self._lock:
            ids = [each for each, entry in self._entries.items() if self._is_open(entry)]
            ended = [self._end(each, "stopped") for each in ids]
            entries = [self._entries[each] for each in ids]
        for link in ended:
            self._announce(link)
        for entry in entries:
            self._remember(entry)

    def subscribe(self, on_change: Callable[[Link], None]) -> None:
        """Call `on_change` after each change of a link: its video, its end, however it ends.

        It is called in the thread of whoever makes the change, and must not wait.
        """
        with self._lock:
            self._listeners = [*self._listeners, on_change]

    def announce_expired(self) -> None:
        """Tell listeners of the links whose time has come since the last call."""
        now_s = self._clock()
        with self._lock:
            due = [
                entry.link
                for entry in self._entries.values()
                if entry.link.id not in self._announced and entry.link.state(now_s) == "expired"
            ]
            self._announced.update(link.id for link in due)
        for link in due:
            self._announce(link)

    def refresh(self) -> None:
        """Take over what other processes made, changed or ended; store what could not be stored before."""
        if self._sharing is None:
            return
        self._unsaved &= self._entries.keys()
        for link_id in sorted(self._unsaved - self._saving):
            self._remember(self._entry(link_id))
        stored: list[StoredLink] = self._with_store(self._store.whole, self._clock()) or []
        for each in stored:
            self._take_over(each)

    def find(self, link_id: str) -> Link:
        """A link as `get`, though another process may have made it a moment ago. Raises NotFoundError."""
        if link_id not in self._entries:
            self.refresh()
        return self.get(link_id)

    def forget_old(self) -> None:
        """Remove from the store what ended long ago."""
        self._with_store(self._store.forget, self._clock() - REMEMBERED_S)

    def _add(self, entry: _Entry, now_s: float) -> None:
        self._entries[entry.link.id] = entry
        self._ids[entry.token_hash] = entry.link.id
        self._drop_ended(now_s)

    def _take_over(self, stored: StoredLink) -> None:
        link = stored.link
        if link is None or self._sharing is None:
            return
        token = self._sharing.token_of(link.id)
        if hash_of(token) != stored.token_hash:
            return  # of a service with another secret
        with self._lock:
            own = self._entries.get(link.id)
            # What has ended stays ended, and what the store has not taken yet is newer than what it has.
            if own is not None and (own.link == link or own.link.ended or link.id in self._unsaved):
                return
            if link.ended:
                self._announced.add(link.id)
            if own is None:
                self._add(_Entry(link, token, stored.token_hash), self._clock())
                return
            self._entries[link.id] = dataclasses.replace(own, link=link)
        self._announce(link)

    def _entry_of(self, token_hash: str) -> _Entry | None:
        with self._lock:
            return self._entries.get(self._ids.get(token_hash, ""))

    def _entry(self, link_id: str) -> _Entry:
        entry = self._entries.get(link_id)
        if entry is None:
            raise NotFoundError("There is no such link. It may be gone; load the list again.")
        return entry

    def _is_open(self, entry: _Entry) -> bool:
        return entry.link.state(self._clock()) == "open"

    def _check_room(self, now_s: float) -> None:
        is_open = [entry.link.state(now_s) == "open" for entry in self._entries.values()]
        if sum(is_open) >= MAX_OPEN_LINKS:
            raise InvalidValueError(
                f"{MAX_OPEN_LINKS} links are open, more are not allowed. Withdraw one that nobody needs."
            )

    def _drop_ended(self, now_s: float) -> None:
        ended = [entry for entry in self._entries.values() if entry.link.state(now_s) != "open"]
        for entry in ended[: max(0, len(self._entries) - MAX_LINKS)]:
            del self._entries[entry.link.id], self._ids[entry.token_hash]
            self._announced.discard(entry.link.id)

    def _change(self, link_id: str, **changes: Any) -> Link:
        entry = self._entries[link_id]
        link = dataclasses.replace(entry.link, **changes)
        self._entries[link_id] = dataclasses.replace(entry, link=link)
        return link

    def _end(self, link_id: str, how: str) -> Link:
        self._announced.add(link_id)
        return self._change(link_id, ended=how)

    def _announce(self, link: Link) -> None:
        for listener in self._listeners:
            listener(link)

    def _ending_of_stored(self, token_hash: str, now_s: float) -> ShareError | None:
        stored: StoredLink | None = self._with_store(self._store.find, token_hash)
        if stored is None or now_s > stored.expires_s + REMEMBERED_S:
            return None
        if stored.link is not None:
            self._take_over(stored)
        if stored.ended == "revoked":
            return _ending("revoked")
        return _ending("expired" if stored.ended is None and now_s >= stored.expires_s else "stopped")

    def _remember(self, entry: _Entry) -> None:
        link = entry.link
        whole = link if self._sharing else None
        stored = StoredLink(entry.token_hash, link.created_s, link.expires_s, link.ended, whole)
        if self._sharing:
            self._unsaved.add(link.id)
            self._saving.add(link.id)
        try:
            self._with_store(self._store.save, stored)
        finally:
            self._saving.discard(link.id)
        if self._sharing and not self._is_store_broken:
            self._unsaved.discard(link.id)
            self._sharing.tell()

    def _with_store(self, verb: Callable[..., Any], *args: Any) -> Any:
        """Call the store; where it is in trouble, say so once and go on: links work without it."""
        try:
            answer = self._run_waiting(verb, *args)
        except DatabaseError as exc:
            if not self._is_store_broken:
                _log.warning("Links are not remembered beyond this run: %s Sharing goes on.", exc)
            self._is_store_broken = True
            return None
        self._is_store_broken = False
        return answer


def _checked_name(name: object) -> str:
    text = check_text("link's name", name, MAX_LINK_NAME)
    if not text:
        raise InvalidValueError(
            f"The link has no name. Give it one of 1 to {MAX_LINK_NAME} characters, such as who it is for."
        )
    return text


def _checked_hours(hours: object) -> float:
    is_number = isinstance(hours, int | float) and not isinstance(hours, bool)
    if not is_number or not MIN_HOURS <= hours <= MAX_HOURS:  # type: ignore[operator]
        raise InvalidValueError(
            f"A link may be open for {MIN_HOURS:g} to {MAX_HOURS:g} hours; {hours!r:.40} came."
        )
    return float(hours)  # type: ignore[arg-type]


def _check_kind(kind: object, *, session: str | None, owner: str | None, video: object) -> None:
    if kind not in get_args(LinkKind):
        raise InvalidValueError(f"The kind is {kind!r:.40}; allowed: {', '.join(get_args(LinkKind))}.")
    if (session is not None) != (kind == "session"):
        raise InvalidValueError("A session link names its session, the other kinds name none.")
    if (owner is not None) != (kind == "watch"):
        raise InvalidValueError("A watch link has the owner of what it shows, the other kinds have none.")
    if type(video) is not bool or (video and kind != "watch"):
        raise InvalidValueError("video must be true or false, and only a watch link can show it.")

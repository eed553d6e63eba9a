"""Defines what sharing is about: links, the visitors they let in, and the addresses they name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

LinkKind = Literal["join", "watch", "session"]
"""join: use the page with one's own camera. watch: look at the host's running stream. session: read one
finished session."""

LinkState = Literal["open", "expired", "revoked", "stopped"]

AddressKind = Literal["public", "name", "lan", "vpn", "container"]
"""Addresses are offered in this order."""


@dataclass(frozen=True)
class Link:
    """A link as the host sees it; its token is not part of it.

    Attributes:
        id: public name, which opens nothing.
        name: given by the host, shown to visitors.
        created_s: seconds since 1970, as `expires_s`.
        session: the session that a "session" link shows; None for the other kinds.
        owner: whose streams a "watch" link shows; None for the other kinds.
        video: whether watchers see the picture too, not only boxes and labels.
        ended: how the host ended it before its time; None while it has not been.
    """

    id: str
    kind: LinkKind
    name: str
    created_s: float
    expires_s: float
    session: str | None = None
    owner: str | None = None
    video: bool = False
    ended: Literal["revoked", "stopped"] | None = None

    def state(self, now_s: float) -> LinkState:
        """Tell its state at a moment in seconds since 1970."""
        if self.ended is not None:
            return self.ended
        return "open" if now_s < self.expires_s else "expired"


HOST_LINK = Link(id="host", kind="watch", name="This machine", created_s=0.0, expires_s=math.inf, owner=None)
"""What the host watches by: the newest stream of this machine, with no picture. No token opens it."""


@dataclass(frozen=True)
class Admission:
    """An admission says who asks, as far as sharing is concerned, and so what they may do.

    Attributes:
        is_local: comes from this machine itself, which needs no link, but may have opened one.
        visitor: the visitor's id; None for who has opened no link.
        link: the open link that let the visitor in; None like `visitor`.
        key: id of the key with which a program asks; then it is no visitor, whatever cookies it has.
    """

    is_local: bool
    visitor: str | None = None
    link: Link | None = None
    key: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Comes from the network without a link that is open, and without a key."""
        return not self.is_local and self.link is None and self.key is None

    @property
    def may_stream(self) -> bool:
        """May use the live page with a camera of their own, and their own history."""
        has_joined = self.link is not None and self.link.kind == "join"
        return self.is_local or has_joined or self.key is not None

    @property
    def may_watch(self) -> bool:
        """May connect to the namespace of watchers."""
        return self.link is not None and self.link.kind == "watch"

    def may_read(self, session_id: str) -> bool:
        """Tell whether a link shows them this one session, whoever owns it."""
        return self.link is not None and self.link.kind == "session" and self.link.session == session_id


@dataclass(frozen=True)
class ShareAddress:
    """One address by which others reach this server.

    Attributes: url: scheme, host and port without a path, such as https://192.168.1.5:5443.
    """

    url: str
    kind: AddressKind


class ShareNetwork(Protocol):
    """A share network tells where the server can be reached, and how it proves who it is."""

    def addresses(self) -> Sequence[ShareAddress]:
        """The best first; empty where there is no network or nothing is shared."""
        ...

    def hosts(self) -> frozenset[str]:
        """Names in a Host header, lower case, without the port, that are ours beside the loopback ones."""
        ...

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of the authority's certificate as AB:CD:...; None with a certificate of the user's own."""
        ...

    @property
    def authority_pem(self) -> bytes | None:
        """The authority's certificate; None with a certificate of the user's own."""
        ...

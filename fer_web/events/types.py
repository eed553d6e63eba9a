"""What travels from streams to receivers."""

import datetime
from dataclasses import dataclass
from typing import Any, Protocol

from fer_web.events.rules import Rule, rule_to_wire
from fer_web.inference.results import FaceResult


@dataclass(frozen=True)
class Fired:
    """A rule fired in a stream.

    Attributes:
        id: of this event alone; the same when it is sent again.
        stream: an id that a stream has for itself; it tells nobody whose it is.
        faces: ids of the faces that the rule is about; empty for "nobody".
        at_s: seconds of this machine's monotonic clock.
        at: the same moment as a date, with its time zone.
        is_of_host: whether the rule stands in the events file; otherwise it is a page's.
    """

    id: str
    stream: str
    rule: Rule
    faces: tuple[int, ...]
    at_s: float
    at: datetime.datetime
    is_of_host: bool

    def to_wire(self) -> dict[str, Any]:
        """As receivers get it; docs/events.md describes it."""
        return {
            "type": "rule",
            "id": self.id,
            "timestamp": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **rule_to_wire(self.rule),
            "faces": list(self.faces),
            "stream": self.stream,
        }


@dataclass(frozen=True)
class StreamFrame:
    """The faces that a stream shows in one frame.

    Attributes: at_s: seconds of this machine's monotonic clock.
    """

    stream: str
    at_s: float
    faces: tuple[FaceResult, ...]


@dataclass(frozen=True)
class StreamEnded:
    """A stream has no more frames."""

    stream: str


class Moment(Protocol):
    """A moment of somebody's recording, which only who gave it can read."""

    @property
    def session_id(self) -> str:
        """Id of the session."""


@dataclass(frozen=True)
class RuleMarker:
    """A marker that a rule leaves in a client's recording."""

    client: str
    moment: Moment
    text: str


Item = Fired | StreamFrame | StreamEnded | RuleMarker

"""Defines what passes between recorder, repository, summaries, exports: validated on creation."""

import datetime
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

SessionState = Literal["running", "finished", "interrupted"]

NOT_TOLD: Final = -1
"""In a column of positions: there is none."""


@dataclass(frozen=True)
class Sample:
    """One face at one moment.

    Attributes:
        at_s: seconds since the session's start, by the clock of capture.
        face: the face's id within its session.
        box: left, top, width, height as fractions of the frame.
        scores: seven raw probabilities in the order of EMOTIONS, of this frame alone.
        label: position in EMOTIONS of what was shown.
        confidence: of what was shown, 0-1.
        is_sure: whether it was named, or called unsure.
        rival: position in EMOTIONS of what it was told beside the label; None where it is sure or not known.
        reason: position in REASONS of what speaks against it; None where it is sure, or nothing stands out.
    """

    at_s: float
    face: int
    box: tuple[float, float, float, float]
    scores: tuple[float, ...]
    label: int
    confidence: float
    is_sure: bool
    rival: int | None = None
    reason: int | None = None


@dataclass(frozen=True)
class SampleTable:
    """Samples of one session in columns, ordered by time, then face; all of length N.

    Attributes:
        at_s: float64 (N,), seconds since the session's start.
        face: int32 (N,).
        box: float32 (N, 4), left, top, width, height as fractions of the frame.
        scores: float32 (N, 7), raw probabilities in the order of EMOTIONS.
        label: int8 (N,), position in EMOTIONS.
        confidence: float32 (N,), 0-1.
        is_sure: bool (N,).
        rival: int8 (N,), position in EMOTIONS; NOT_TOLD where a face is sure or it is not known.
        reason: int8 (N,), position in REASONS; NOT_TOLD where a face is sure or nothing stands out.
    """

    at_s: NDArray[np.float64]
    face: NDArray[np.int32]
    box: NDArray[np.float32]
    scores: NDArray[np.float32]
    label: NDArray[np.int8]
    confidence: NDArray[np.float32]
    is_sure: NDArray[np.bool_]
    rival: NDArray[np.int8]
    reason: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.at_s)


@dataclass(frozen=True)
class Marker:
    """A moment that somebody named. `at_s`: seconds since the session's start."""

    id: str
    at_s: float
    text: str


@dataclass(frozen=True)
class RecordedMoment:
    """One moment of a session; `at_s`: seconds since its start."""

    session_id: str
    owner: str
    at_s: float


@dataclass(frozen=True)
class Person:
    """What somebody said about a face. `same_as`: the face that shows the same person, if any."""

    face: int
    name: str = ""
    same_as: int | None = None


@dataclass(frozen=True)
class NewSession:
    """A new session holds what is known when recording starts. `settings` are plain JSON types."""

    owner: str
    name: str
    started_at: datetime.datetime
    model_name: str
    model_hash: str
    sample_hz: float
    settings: dict[str, Any] = field(default_factory=dict)
    source: str = "camera"

    def as_session(self, session_id: str) -> "Session":
        """The session that begins by this."""
        return Session(
            id=session_id,
            owner=self.owner,
            name=self.name,
            state="running",
            source=self.source,
            started_at=self.started_at,
            length_s=0.0,
            faces=0,
            samples=0,
            strip=(),
            notes="",
            tags=(),
            model_name=self.model_name,
            model_hash=self.model_hash,
            sample_hz=self.sample_hz,
            settings=self.settings,
        )


@dataclass(frozen=True)
class Session:
    """A stored session without its samples.

    Attributes:
        id: unguessable, URL-safe.
        started_at: UTC.
        length_s: from the start to the last sample or the end.
        faces: how many people: faces that were merged count as one.
        strip: dominant label of 60 equal parts: a position in EMOTIONS, -1 for unsure, None for nobody there.
    """

    id: str
    owner: str
    name: str
    state: SessionState
    source: str
    started_at: datetime.datetime
    length_s: float
    faces: int
    samples: int
    strip: tuple[int | None, ...]
    notes: str
    tags: tuple[str, ...]
    model_name: str
    model_hash: str
    sample_hz: float
    settings: dict[str, Any]
    markers: tuple[Marker, ...] = ()
    people: tuple[Person, ...] = ()


@dataclass(frozen=True)
class SessionFilter:
    """This picks sessions. Dates are UTC; `until` is exclusive; `cursor` is the last page's."""

    search: str = ""
    tag: str = ""
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True)
class SessionFace:
    """One face of a session: when it was seen first and last, in seconds since the start, and how often.

    Attributes:
        name: of the person; empty where nobody wrote one.
        person: number of the person: of the face that this one was merged into, or its own.
    """

    face: int
    first_s: float
    last_s: float
    samples: int
    name: str
    person: int


@dataclass(frozen=True)
class SessionPage:
    """Sessions, newest first, without markers.

    Attributes:
        next: cursor of the page after this one; None at the end.
        total: sessions that fit the filter, on all pages.
    """

    sessions: tuple[Session, ...]
    next: str | None
    total: int

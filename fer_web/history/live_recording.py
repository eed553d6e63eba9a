"""One session that is being recorded: its clock, and the samples that wait to be stored."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fer_web.history.sampling import Downsampling, sample_of
from fer_web.history.types import NewSession, Sample, Session
from fer_web.inference.results import FaceResult, FrameResult
from fer_web.sharing.places import THIS_MACHINE, Sender

MAX_WAITING = 3000
"""Samples of one session that may wait for the database: ten minutes of one face, one of ten faces. Later
ones are not taken, so that what is stored has one gap instead of many."""

CLOCK_TOLERANCE_S = 2.0
"""Further than this from the server's clock, a client's clock has jumped; frames may wait nearly as long."""

CHOSEN: Final = "chosen"
"""A session's settings name so what its page chose in place of the server's, and from when on."""

CORRECTED: Final = "corrected_faces"
"""Among them, the numbers of faces whose shown label is corrected. Scores are stored raw."""

MAX_CHOICES: Final = 20
"""Choices that a session remembers: somebody who moves a slider leaves one for each stop."""


class SessionClock:
    """Turns a stream's capture times into milliseconds since the session's start.

    Distances between frames come from the client, because the network delays frames by chance. The server's
    monotonic clock watches over them: where the client's clock jumps, it goes on from the server's.
    """

    def __init__(self, now_s: float) -> None:
        self._start_s = now_s
        self._offset_s: float | None = None
        self._last_ms = -1

    def elapsed_s(self, now_s: float) -> float:
        """Seconds since the start by the server's clock."""
        return max(now_s - self._start_s, self._last_ms / 1000, 0.0)

    def begin_stream(self) -> None:
        """Frames of another stream follow, whose clock has nothing to do with the one before."""
        self._offset_s = None

    def tick(self, captured_s: float, now_s: float) -> int | None:
        """The time of a frame that is analysed `now_s`; None where none has passed since the last one."""
        server_s = now_s - self._start_s
        if self._offset_s is None or abs(captured_s + self._offset_s - server_s) > CLOCK_TOLERANCE_S:
            self._offset_s = server_s - captured_s
        at_ms = round((captured_s + self._offset_s) * 1000)
        if at_ms <= self._last_ms:
            return None
        self._last_ms = at_ms
        return at_ms


@dataclass
class LiveRecording:
    """The recorder knows this about a session that is not finished. The recorder's lock guards it.

    Attributes:
        client: who sends its frames now; None after a disconnect.
        is_paused: no samples are taken.
        ends_at_s: when it is given up, by the recorder's clock; None while a client is there.
        left_s: how long it was when its client went.
        is_leaving: its client may go to another server: it is let go of when its samples are stored.
        length_s: set when it ended; then only the last samples are still to be stored.
        batch: samples that are being stored; tried again as they are, so that none is stored twice.
        waiting: samples that come after them.
        has_gap: samples were not taken since the last batch was stored.
        problem: code of the last error that its client was told; None after a stored batch.
        has_ended: set when nothing is left to be stored.
        sender: whom its place is counted for. since_s: when it got it, in seconds since 1970.
        first_face: the largest number of the faces of the streams before this one.
        new: what is still to be stored of the session itself; None where its row is there.
        settings: of the session, with what its page chose for them; see `use`.
        has_new_settings: they are still to be stored.
    """

    session: Session
    clock: SessionClock
    client: str | None
    is_paused: bool = False
    ends_at_s: float | None = None
    left_s: float = 0.0
    is_leaving: bool = False
    length_s: float | None = None
    batch: list[Sample] = field(default_factory=list)
    waiting: list[Sample] = field(default_factory=list)
    has_gap: bool = False
    problem: str | None = None
    has_ended: threading.Event = field(default_factory=threading.Event)
    first_face: int = 0
    sender: Sender = THIS_MACHINE
    since_s: float = field(default_factory=time.time)
    new: NewSession | None = None
    settings: dict[str, Any] = field(init=False)
    has_new_settings: bool = False
    _downsampling: Downsampling = field(init=False)
    _last_face: int = field(init=False)

    def __post_init__(self) -> None:
        self.settings = dict(self.session.settings)
        self._last_face = self.first_face
        self._downsampling = Downsampling(self.session.sample_hz)

    @property
    def has_left(self) -> bool:
        """Tell whether no more samples come here: it ended, or goes on elsewhere."""
        return self.length_s is not None or self.is_leaving

    def begin_stream(self, client: str) -> None:
        """Frames of this client follow. Another client's faces get numbers of their own."""
        if client != self.client:
            self.first_face = self._last_face
            self._downsampling.reset()
        self.client, self.ends_at_s, self.is_paused = client, None, False
        self.clock.begin_stream()

    def take(self, captured_s: float, faces: Sequence[FaceResult], now_s: float) -> None:
        """Keep a frame's faces, each at most once in every part of a second that the sample rate makes."""
        at_ms = self.clock.tick(captured_s, now_s)
        if at_ms is None:
            return
        for face in self._downsampling.keep(at_ms, faces):
            self._keep(at_ms, face)

    def choices_of(self, result: FrameResult) -> dict[str, Any]:
        """Return what decided over a frame's shown labels: its settings, and which faces are corrected."""
        faces = [self.first_face + face_id for face_id in result.corrected]
        return {**result.settings.chosen(), **({CORRECTED: faces} if faces else {})}

    def use(self, chosen: Mapping[str, Any], now_s: float) -> None:
        """Note that the page chooses these settings from now on; the latest MAX_CHOICES are kept."""
        choices: list[dict[str, Any]] = self.settings.get(CHOSEN, [])
        last = {name: value for name, value in choices[-1].items() if name != "at_s"} if choices else {}
        if chosen == last:
            return
        choice = {"at_s": round(self.clock.elapsed_s(now_s), 3), **chosen}
        self.settings = {**self.settings, CHOSEN: [*choices, choice][-MAX_CHOICES:]}
        self.has_new_settings = True

    def next_batch(self) -> list[Sample]:
        """Return the samples to store now: the batch that was tried before, else all that waits."""
        if not self.batch:
            self.batch, self.waiting = self.waiting, []
        return self.batch

    def _keep(self, at_ms: int, face: FaceResult) -> None:
        if len(self.batch) + len(self.waiting) >= MAX_WAITING:
            self.has_gap = True
            return
        number = self.first_face + face.face_id
        self._last_face = max(self._last_face, number)
        self.waiting.append(sample_of(at_ms, number, face))

"""One client's stream: its waiting frames, and what is remembered between frames."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fer_web.errors import FerWebError
from fer_web.inference.pipeline import StreamState
from fer_web.inference.results import FrameResult
from fer_web.realtime.protocol import FrameMessage
from fer_web.sharing.places import THIS_MACHINE, Sender, check_place
from fer_web.sharing.shared_limits import Claim, NoPlacesElsewhere, PlacesElsewhere

IDLE_TIMEOUT_S = 10.0
"""A stream without frames holds a place that others wait for: it rests until the next one."""


class Event(Protocol):
    """threading.Event, or eventlet's of the same shape."""

    def set(self) -> None:
        """Wake all who wait."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until set; False after `timeout` seconds."""
        ...


@dataclass(frozen=True)
class FrameAnswer:
    """An answer says what became of one frame: a result, or a reason why there is none.

    Attributes:
        seq: of the frame.
        result: None where the frame was dropped or failed.
        wait_ms: how long an analysed frame was in its slot.
        dropped: one of the DROPPED_ reasons of protocol.py, None for a frame that was not dropped.
        error: why a frame failed.
    """

    seq: int
    result: FrameResult | None = None
    wait_ms: float = 0.0
    dropped: str | None = None
    error: FerWebError | None = None


@dataclass(eq=False)
class PendingFrame:
    """A frame that waits for its answer."""

    message: FrameMessage
    received_s: float
    answered: Event
    reply: FrameAnswer | None = None

    def answer(self, reply: FrameAnswer) -> None:
        """Give the reply to whoever waits; the first one counts."""
        if self.reply is None:
            self.reply = reply
            self.answered.set()


@dataclass
class Stream:
    """One client's waiting frames, oldest first. The scheduler's lock guards them and `is_scheduled`.

    sender: whom its place and its turns are counted for. newest_s: when its newest frame came.
    since_s: when it got its place, in seconds since 1970.
    """

    client: str
    state: StreamState
    waiting: deque[PendingFrame] = field(default_factory=deque)
    is_scheduled: bool = False
    sender: Sender = THIS_MACHINE
    newest_s: float = 0.0
    since_s: float = 0.0

    @property
    def waiting_bytes(self) -> int:
        """Of the pictures of its waiting frames."""
        return sum(len(frame.message.jpeg) for frame in self.waiting)


class StreamRegistry:
    """The streams of all clients, by Socket.IO session id; with other processes' at most `max_streams`."""

    def __init__(
        self,
        new_state: Callable[[], StreamState],
        max_streams: int,
        clock: Callable[[], float] = time.monotonic,
        elsewhere: PlacesElsewhere | None = None,
    ) -> None:
        """Args: clock: seconds, never set back. elsewhere: streams of other processes; by default none."""
        self._clock = clock
        self._elsewhere = elsewhere or NoPlacesElsewhere()
        self._new_state = new_state
        self._max_streams = max_streams
        self._streams: dict[str, Stream] = {}
        self._resting: dict[str, Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def get_or_open(self, sid: str, sender: Sender = THIS_MACHINE) -> Stream:
        """This client's stream, opened by its first frame; to be called with each.

        Raises: ServerFullError: all places that the sender may have are taken.
        """
        stream = self._streams.get(sid)
        if stream is None:
            taken = [each.sender for each in list(self._streams.values())]
            check_place("streams", self._max_streams, [*taken, *self._elsewhere.senders()], sender)
            stream = self._resting.pop(sid, None) or Stream(sid, self._new_state(), sender=sender)
            stream.since_s = time.time()
            self._streams[sid] = stream
            self._elsewhere.changed()
        stream.newest_s = self._clock()
        return stream

    def get(self, sid: str) -> Stream | None:
        """This client's stream; None before its first frame."""
        return self._streams.get(sid) or self._resting.get(sid)

    def rest(self, sid: str) -> Stream | None:
        """Free the place of this client's stream, which goes on with its next frame."""
        stream = self._streams.pop(sid, None)
        if stream is not None:
            self._resting[sid] = stream
            self._elsewhere.changed()
        return stream

    def idle(self) -> Sequence[str]:
        """Clients whose stream had no frame for IDLE_TIMEOUT_S."""
        until_s = self._clock() - IDLE_TIMEOUT_S
        return [sid for sid, stream in list(self._streams.items()) if stream.newest_s <= until_s]

    def close(self, sid: str) -> Stream | None:
        """Forget this client's stream; returns it when there was one."""
        stream = self._streams.pop(sid, None)
        if stream is not None:
            self._elsewhere.changed()
        return stream or self._resting.pop(sid, None)

    def held(self) -> Sequence[Claim]:
        """The places that streams of this process have."""
        return [Claim(sid, each.since_s, each.sender) for sid, each in list(self._streams.items())]

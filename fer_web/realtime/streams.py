"""One client's stream: its waiting frames, and what is remembered between frames."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fer_web.errors import FerWebError, ServerFullError
from fer_web.inference.pipeline import StreamState
from fer_web.inference.results import FrameResult
from fer_web.realtime.protocol import FrameMessage


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
    """One client's waiting frames, oldest first. The scheduler's lock guards them and `is_scheduled`."""

    client: str
    state: StreamState
    waiting: deque[PendingFrame] = field(default_factory=deque)
    is_scheduled: bool = False


class StreamRegistry:
    """The streams of all clients, by Socket.IO session id; at most `max_streams`."""

    def __init__(self, new_state: Callable[[], StreamState], max_streams: int) -> None:
        self._new_state = new_state
        self._max_streams = max_streams
        self._streams: dict[str, Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def get_or_open(self, sid: str) -> Stream:
        """This client's stream, opened by its first frame.

        Raises: ServerFullError: `max_streams` others are open.
        """
        stream = self._streams.get(sid)
        if stream is None:
            if len(self._streams) >= self._max_streams:
                raise ServerFullError(
                    f"This server analyses {self._max_streams} streams at the same time and all are taken. "
                    "Try again later, or raise --max-clients."
                )
            stream = self._streams[sid] = Stream(sid, self._new_state())
        return stream

    def get(self, sid: str) -> Stream | None:
        """This client's stream; None before its first frame."""
        return self._streams.get(sid)

    def close(self, sid: str) -> Stream | None:
        """Forget this client's stream; returns it when there was one."""
        return self._streams.pop(sid, None)

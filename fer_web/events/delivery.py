"""Delivers to one receiver from a thread and a bounded mailbox of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fer_web.events.types import Fired, Item, StreamFrame

_log = logging.getLogger(__name__)

WAITING: Final = "waiting"
CONNECTED: Final = "connected"
FAILING: Final = "failing"

MAX_WAITING_EVENTS: Final = 100
"""Events that wait for one receiver; past it the oldest goes."""

MAX_TRIES: Final = 8
"""An event is sent so often at most, then it is dropped."""

FIRST_RETRY_S: Final = 1.0
MAX_RETRY_S: Final = 60.0
"""The longest pause before an event is sent again."""

IDLE_S: Final = 1.0
"""A receiver that has nothing to do is asked so often whether it is still connected."""

STOP_TIMEOUT_S: Final = 2.0
"""All receivers together get this long to say goodbye when the server stops."""


class ReceiverError(Exception):
    """A receiver does not take what it is sent. The text is for the host's page: it holds no secret.

    Attributes:
        is_final: the same event will be refused again.
        retry_after_s: the receiver asks for this pause.
    """

    def __init__(self, reason: str, *, is_final: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.is_final = is_final
        self.retry_after_s = retry_after_s


class Receiver(Protocol):
    """What is told of events. Its thread alone calls it, and it may block there.

    Attributes:
        kind: "webhook", "mqtt" or "lsl".
        frames_kept: frames of streams that may wait for it; 0: it wants none.
    """

    kind: str
    frames_kept: int

    def open(self) -> str | None:
        """Connect where it is not connected, and return its state; None where only sending tells.

        Raises: ReceiverError.
        """
        ...

    def send(self, item: Item) -> None:
        """Hand it one item. Raises ReceiverError."""
        ...

    def close(self) -> None:
        """Say goodbye, within a second or so; raises nothing."""
        ...


@dataclass(frozen=True)
class ReceiverState:
    """How a receiver does.

    Attributes:
        state: WAITING: nobody is known to be there yet; CONNECTED; FAILING.
        reason: why it fails; empty otherwise.
        sent, dropped, waiting: events so far, and now.
    """

    name: str
    kind: str
    state: str
    reason: str
    sent: int
    dropped: int
    waiting: int

    def to_wire(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dict(vars(self))


def retry_pause_s(tries: int) -> float:
    """Return the seconds before the next try, after so many: doubled each time, up to MAX_RETRY_S."""
    return min(FIRST_RETRY_S * 2.0 ** min(tries - 1, 16), MAX_RETRY_S)


class Delivery:
    """The mailbox and the thread of one receiver.

    `offer` takes a lock for a few assignments and may be called on eventlet's hub. Events are tried again;
    frames are not: a newer one says more.
    """

    def __init__(
        self, name: str, receiver: Receiver, pause_s: Callable[[int], float] = retry_pause_s
    ) -> None:
        """Args: pause_s: seconds to wait after so many failures in a row."""
        self.name = name
        self.wants_frames = receiver.frames_kept > 0
        self._receiver = receiver
        self._pause_s = pause_s
        # Held for a few assignments only, never over a switch of green threads.
        self._news = threading.Condition(threading.Lock())
        self._items: deque[Item] = deque()
        self._frames: deque[StreamFrame] = deque(maxlen=receiver.frames_kept or 1)
        self._stopping = threading.Event()
        self._state, self._reason = WAITING, ""
        self._sent = self._dropped = 0
        self._thread = threading.Thread(target=self._run, name=f"events-{name}", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def offer(self, item: Item) -> None:
        """Put an item into the mailbox; the oldest gives way where it is full. Never waits."""
        with self._news:
            if isinstance(item, StreamFrame):
                self._frames.append(item)
            else:
                self._items.append(item)
                if len(self._items) > MAX_WAITING_EVENTS:
                    self._items.popleft()
                    self._dropped += 1
            self._news.notify()

    def stop(self) -> None:
        """Let the thread end after what it does now; `join` waits for it."""
        self._stopping.set()
        with self._news:
            self._news.notify()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread; one that hangs ends with the process."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def state(self) -> ReceiverState:
        """Return how the receiver does now."""
        with self._news:
            return ReceiverState(
                self.name, self._receiver.kind, self._state, self._reason, self._sent, self._dropped,
                len(self._items),
            )  # fmt: skip

    def _run(self) -> None:
        failures = tries = 0
        item: Item | None = None
        while not self._stopping.is_set():
            try:
                state = self._receiver.open()
                if state is not None:
                    self._become(state)
                item = item or self._take()
                if item is not None:
                    self._receiver.send(item)
                    self._note_sent(item, state or CONNECTED)
                failures, tries, item = 0, 0, None
            except Exception as exc:
                error = self._as_receiver_error(exc)
                self._become(FAILING, str(error))
                failures, tries = failures + 1, tries + 1
                if isinstance(item, StreamFrame):
                    item = None
                elif item is not None and (error.is_final or tries >= MAX_TRIES):
                    self._note_dropped()
                    item = None
                if item is None:
                    tries = 0
                self._stopping.wait(max(self._pause_s(failures), min(error.retry_after_s, MAX_RETRY_S)))
        self._receiver.close()

    def _as_receiver_error(self, exc: Exception) -> ReceiverError:
        if isinstance(exc, ReceiverError):
            return exc
        _log.exception("The receiver %s failed", self.name)
        return ReceiverError("an error of this program; its log says which", is_final=True)

    def _take(self) -> Item | None:
        """The next item; None where none came for IDLE_S."""
        with self._news:
            if not (self._items or self._frames or self._stopping.is_set()):
                self._news.wait(IDLE_S)
            if self._items:
                return self._items.popleft()
            return self._frames.popleft() if self._frames else None

    def _become(self, state: str, reason: str = "") -> None:
        with self._news:
            has_changed = (state, reason) != (self._state, self._reason)
            self._state, self._reason = state, reason
        if has_changed and state == FAILING:
            _log.warning("The receiver %s fails: %s", self.name, reason)

    def _note_sent(self, item: Item, state: str) -> None:
        with self._news:
            self._sent += isinstance(item, Fired)
        self._become(state)

    def _note_dropped(self) -> None:
        with self._news:
            self._dropped += 1


def stop_all(deliveries: list[Delivery]) -> None:
    """Stop them together; gives up after STOP_TIMEOUT_S."""
    end_s = time.monotonic() + STOP_TIMEOUT_S
    for each in deliveries:
        each.stop()
    for each in deliveries:
        each.join(max(0.0, end_s - time.monotonic()))

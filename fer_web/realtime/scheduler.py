"""Shares the workers among the streams: one frame at a time for each, in turns of turns.py."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from fer_web.errors import FerWebError, InternalError, OverloadedError
from fer_web.inference.pipeline import Pipeline
from fer_web.inference.results import FrameResult
from fer_web.realtime.protocol import (
    DROPPED_NEWER,
    DROPPED_OVERLOADED,
    DROPPED_STOPPED,
    MAX_IN_FLIGHT,
    FrameMessage,
)
from fer_web.realtime.streams import Event, FrameAnswer, PendingFrame, Stream
from fer_web.realtime.turns import Turns

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

PATIENCE_S: Final = 0.1
"""A frame that waited longer gives way to a newer one of its stream. A network delivers in bursts: six frames
that come together after a stall of 200 ms are all analysed where the server has time for them."""

MAX_WAITING_BYTES: Final = 16_000_000
"""Pictures of all streams that wait together. So many streams of the page hold 40 KB in each of eight frames;
who has the most gives way."""

STUCK_S: Final = 10.0
"""A worker that takes longer for one frame is taken for stuck: the longest frame takes a second."""

Observer = Callable[[str, float, FrameResult, bytes], None]
"""Takes a stream's client, a frame's capture time in seconds, what was found in it, and its JPEG."""


class Queue(Protocol):
    """queue.Queue, or eventlet's of the same shape."""

    def put(self, item: bool) -> None:
        """Append."""

    def get(self) -> bool:
        """Take the first; waits for one."""
        ...


class Concurrency(Protocol):
    """Serving modes differ in this: they use green threads or native ones."""

    def new_event(self) -> Event:
        """An unset event."""
        ...

    def new_queue(self) -> Queue:
        """An empty queue."""
        ...

    def spawn(self, target: Callable[[], None]) -> Any:
        """Run `target` beside the caller; the returned object has join()."""
        ...

    def run_native(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function that computes for long, without holding up other clients."""
        ...

    def run_waiting(self, function: Callable[..., _T], *args: Any) -> _T:
        """Call a function that may wait for long: neither other clients nor `run_native` wait for it."""
        ...


class FrameMetrics(Protocol):
    """Counts what becomes of frames; must not block."""

    def frame_came(self) -> None:
        """A frame waits for its turn."""

    def frame_answered(
        self, outcome: str, reason: str, age_s: float, timings_ms: Mapping[str, float]
    ) -> None:
        """It was answered, this long after it came; analysed, dropped or failed, and why."""

    def frame_refused(self, reason: str) -> None:
        """A frame had no turn."""


class NoMetrics:
    """Counts nothing."""

    def frame_came(self) -> None:
        """See FrameMetrics."""

    def frame_answered(self, *_answer: object) -> None:
        """See FrameMetrics."""

    def frame_refused(self, reason: str) -> None:
        """See FrameMetrics."""


class FrameScheduler:
    """Answers every frame exactly once.

    At most MAX_IN_FLIGHT frames of a stream wait, and each only for a while: then it gives way to a newer
    one and is answered as dropped. A stream with waiting frames stands in the turns once, and who used less
    time is first, so neither a fast client nor a costly one can starve another. One worker at a time holds a
    stream, so its frames stay in order.
    """

    def __init__(
        self,
        concurrency: Concurrency,
        pipelines: Sequence[Pipeline],
        answer_timeout_s: float = 5.0,
        observers: Sequence[Observer] = (),
        patience_s: float = PATIENCE_S,
        metrics: FrameMetrics | None = None,
    ) -> None:
        """Args:
        pipelines: one for each worker; each is used by one worker alone.
        observers: are told of every result, in the stream's order; must not block.
        patience_s: how long a frame may wait when there is a newer one of its stream.
        """
        self._metrics = metrics or NoMetrics()
        self._running = 0
        self._busy_since_s: dict[int, float] = {}
        self._patience_s = patience_s
        self._observers = observers
        self._concurrency = concurrency
        self._pipelines = pipelines
        self._answer_timeout_s = answer_timeout_s
        # One True for each stream in the turns; False ends a worker.
        self._ready = concurrency.new_queue()
        self._turns = Turns(len(pipelines))
        self._waiting: dict[int, Stream] = {}
        # Held for a few assignments only, never over a switch of green threads.
        self._lock = threading.Lock()
        self._workers: list[Any] = []

    def start(self) -> None:
        """Start one worker for each pipeline."""
        self._workers = [
            self._concurrency.spawn(lambda pipeline=pipeline: self._work(pipeline))  # type: ignore[misc]
            for pipeline in self._pipelines
        ]

    def stop(self) -> None:
        """Let every worker finish its frame and end."""
        for _ in self._workers:
            self._ready.put(False)
        for worker in self._workers:
            worker.join()
        self._workers = []

    def submit(self, stream: Stream, message: FrameMessage) -> FrameAnswer:
        """Put a frame behind those of its stream that wait, and wait for its answer."""
        came_s = time.perf_counter()
        self._metrics.frame_came()
        answer = FrameAnswer(message.seq, dropped=DROPPED_OVERLOADED)
        try:
            answer = self._answer_of(stream, message)
        finally:
            self._count(answer, time.perf_counter() - came_s)
        return answer

    def _count(self, answer: FrameAnswer, age_s: float) -> None:
        if answer.result is not None:
            timings_ms = {**answer.result.timings_ms, "wait": answer.wait_ms}
            self._metrics.frame_answered("analysed", "", age_s, timings_ms)
        elif answer.error is not None:
            self._metrics.frame_answered("failed", answer.error.code, age_s, {})
        else:
            self._metrics.frame_answered("dropped", answer.dropped or "", age_s, {})

    def check_workers(self) -> str:
        """Say how many workers there are. Raises OverloadedError: one has ended, or stays with one frame."""
        now_s = time.perf_counter()
        longest_s = max((now_s - since_s for since_s in list(self._busy_since_s.values())), default=0.0)
        if self._running < len(self._pipelines) or longest_s > STUCK_S:
            raise OverloadedError(
                f"{self._running} of {len(self._pipelines)} workers run, one with its frame for "
                f"{longest_s:.0f} s. Start the server again; its log says more."
            )
        return f"{self._running} workers run"

    def _answer_of(self, stream: Stream, message: FrameMessage) -> FrameAnswer:
        pending = PendingFrame(message, time.perf_counter(), self._concurrency.new_event())
        with self._lock:
            stream.waiting.append(pending)
            late = self._take_late(stream)
            self._waiting[id(stream)] = stream
            too_much = self._take_too_much()
            must_queue = not stream.is_scheduled
            if must_queue:
                self._turns.put(stream)
            stream.is_scheduled = True
        _drop(late, DROPPED_NEWER)
        _drop(too_much, DROPPED_OVERLOADED)
        if must_queue:
            self._ready.put(True)
        if not pending.answered.wait(self._answer_timeout_s):
            with self._lock:
                # Nobody waits for it any more: analysing it would only keep the others waiting longer.
                if pending in stream.waiting:
                    stream.waiting.remove(pending)
        return pending.reply or FrameAnswer(message.seq, dropped=DROPPED_OVERLOADED)

    def cancel(self, stream: Stream) -> None:
        """Answer the waiting frames of a stream that ended."""
        with self._lock:
            pending = list(stream.waiting)
            stream.waiting.clear()
        _drop(pending, DROPPED_STOPPED)

    def _work(self, pipeline: Pipeline) -> None:
        with self._lock:
            self._running += 1
        try:
            self._work_on_frames(pipeline)
        finally:
            with self._lock:
                self._running -= 1

    def _work_on_frames(self, pipeline: Pipeline) -> None:
        while self._ready.get():
            with self._lock:
                stream = self._turns.take()
                late = self._take_late(stream) if stream else []
                pending = stream.waiting.popleft() if stream and stream.waiting else None
            _drop(late, DROPPED_NEWER)
            if stream is None:
                continue
            began_s = time.perf_counter()
            if pending is not None:
                self._busy_since_s[id(pipeline)] = time.perf_counter()
                pending.answer(self._analyse(pipeline, stream, pending))
                self._busy_since_s.pop(id(pipeline), None)
            with self._lock:
                wanted = self._turns.done(stream, time.perf_counter() - began_s)
                stream.is_scheduled = bool(stream.waiting)
                if stream.is_scheduled:
                    self._turns.put(stream)
                    wanted += 1
            for _ in range(wanted):
                self._ready.put(True)

    def _take_late(self, stream: Stream) -> list[PendingFrame]:
        """Take out what has to give way to the stream's newest frame."""
        now_s = time.perf_counter()
        late = []
        waiting = stream.waiting
        while len(waiting) > 1 and (
            len(waiting) > MAX_IN_FLIGHT or now_s - waiting[0].received_s >= self._patience_s
        ):
            late.append(waiting.popleft())
        return late

    def _take_too_much(self) -> list[PendingFrame]:
        """Take out the oldest frames of whoever has the most bytes waiting, until all together have few."""
        self._waiting = {key: each for key, each in self._waiting.items() if each.waiting}
        sizes = {key: each.waiting_bytes for key, each in self._waiting.items()}
        taken = []
        while sum(sizes.values()) > MAX_WAITING_BYTES:
            of_person: Counter[str] = Counter()
            for key, size in sizes.items():
                of_person[self._waiting[key].sender.person] += size
            largest = max(sizes, key=lambda key: (of_person[self._waiting[key].sender.person], sizes[key]))
            taken.append(self._waiting[largest].waiting.popleft())
            sizes[largest] -= len(taken[-1].message.jpeg)
        return taken

    def _analyse(self, pipeline: Pipeline, stream: Stream, pending: PendingFrame) -> FrameAnswer:
        message = pending.message
        wait_ms = (time.perf_counter() - pending.received_s) * 1000
        try:
            result = self._concurrency.run_native(
                pipeline.process,
                message.jpeg,
                message.captured_ms / 1000,
                stream.state,
                message.heatmap,
                message.settings,
            )
        except FerWebError as exc:
            return FrameAnswer(message.seq, error=exc)
        except Exception:
            _log.exception("A frame of %d bytes could not be analysed", len(message.jpeg))
            failure = InternalError("The server failed on this frame. Its log says why; go on with the next.")
            return FrameAnswer(message.seq, error=failure)
        self._tell_observers(stream, message, result)
        return FrameAnswer(message.seq, result, wait_ms)

    def _tell_observers(self, stream: Stream, message: FrameMessage, result: FrameResult) -> None:
        for observe in self._observers:
            try:
                observe(stream.client, message.captured_ms / 1000, result, message.jpeg)
            except Exception:
                _log.exception("A result could not be recorded or shown; the live view goes on")


def _drop(frames: Iterable[PendingFrame], reason: str) -> None:
    for frame in frames:
        frame.answer(FrameAnswer(frame.message.seq, dropped=reason))

"""Socket.IO handlers: validate, call, reply."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import request
from flask_socketio import SocketIO

from fer_web.errors import (
    FerWebError,
    ProtocolError,
    ServerFullError,
    SlowReaderError,
    TooManyMessagesError,
)
from fer_web.history.session_texts import check_person_name
from fer_web.history.write_batches import Notice
from fer_web.rate_limit import TokenBucket
from fer_web.realtime.admission import SocketAdmission
from fer_web.realtime.connections import Connections
from fer_web.realtime.protocol import (
    DROPPED_OVERLOADED,
    MAX_IN_FLIGHT,
    dropped_to_wire,
    error_to_wire,
    parse_frame,
    parse_name,
    result_to_wire,
    seq_of,
)
from fer_web.realtime.reading_pace import RETRY_S
from fer_web.realtime.scheduler import FrameMetrics, FrameScheduler, NoMetrics
from fer_web.realtime.stream_corrector import StreamCorrector
from fer_web.realtime.stream_recorder import StreamRecorder
from fer_web.realtime.stream_rules import StreamRules
from fer_web.realtime.streams import FrameAnswer, Stream, StreamRegistry
from fer_web.realtime.watching import WatchHub
from fer_web.sharing.places import THIS_MACHINE, Sender
from fer_web.vision.frames import check_jpeg_bytes

EVENTS = ("frame", "stop", "record", "marker", "name", "rules", "take", "learn", "correct")
"""A client may send these."""

MAX_QUEUED_PACKETS = 200
"""Packets that may wait for one client to read them: seven seconds of answers at 30 a second."""


@dataclass(frozen=True)
class ClientLimits:
    """What one client may send: messages a second, and the bytes of a frame, which may wait for its turn."""

    frames_per_s: int
    frame_bytes: int


class StreamEvents:
    """The live page's side of the server. One instance for each SocketIO."""

    def __init__(
        self,
        socketio: SocketIO,
        streams: StreamRegistry,
        scheduler: FrameScheduler,
        recordings: StreamRecorder,
        corrector: StreamCorrector,
        watching: WatchHub,
        rules: StreamRules,
        admission: SocketAdmission,
        limits: ClientLimits,
        metrics: FrameMetrics | None = None,
        connections: Connections | None = None,
    ) -> None:
        self._metrics = metrics or NoMetrics()
        self._socketio = socketio
        self._connections = connections or Connections(socketio)
        self._streams = streams
        self._scheduler = scheduler
        self._recordings = recordings
        self._corrector = corrector
        self._watching = watching
        self._rules = rules
        self._admission = admission
        self._limits = limits
        self._senders: dict[str, Sender] = {}
        self._budgets: dict[str, TokenBucket] = {}

    def register(self) -> None:
        """Attach the handlers."""
        self._socketio.on_event("connect", self.on_connect)
        self._socketio.on_event("disconnect", self.on_disconnect)
        self._socketio.on_event("frame", self.on_frame)
        self._socketio.on_event("stop", self.on_stop)
        self._socketio.on_event("record", self.on_record)
        self._socketio.on_event("marker", self.on_marker)
        self._socketio.on_event("name", self.on_name)
        self._socketio.on_event("rules", self.on_rules)
        self._socketio.on_event("take", self.on_take)
        self._socketio.on_event("learn", self.on_learn)
        self._socketio.on_event("correct", self.on_correct)
        self._socketio.on_event("*", self.on_unknown)

    def on_connect(self, auth: Any = None) -> None:
        """A client that may be here is there; its stream opens with its first frame."""
        sid = _sid()
        sender = self._admission.enter_live(sid, lambda reason: self._connections.end(sid, reason))
        self._senders[sid] = sender
        if sender.is_guest:
            self._connections.belong_to(sid, sender.person)
        self._budgets[sid] = TokenBucket(self._limits.frames_per_s, time.monotonic)
        self._recordings.connect(sid, sender)
        self._watching.page_arrived(sid, is_local=sender.is_local)
        self._rules.connect(sid, is_local=sender.is_local)

    def on_disconnect(self, reason: Any = None) -> None:
        """Forget everything about a client, but for its recording: it may come back."""
        self._admission.leave(_sid())
        self._budgets.pop(_sid(), None)
        self._senders.pop(_sid(), None)
        self._recordings.disconnect(_sid())
        self._end_stream(_sid())
        self._watching.page_left(_sid())
        self._rules.disconnect(_sid())

    def on_frame(self, *arguments: Any) -> dict[str, Any] | None:
        """Analyse a frame; the result is the acknowledgement."""
        return self._within_budget(lambda: self._analyse(arguments))

    def on_stop(self, *_arguments: Any) -> dict[str, Any] | None:
        """The client stopped its camera: its faces are forgotten and its recording ends."""
        return self._within_budget(self._stop)

    def on_record(self, *arguments: Any) -> dict[str, Any] | None:
        """Record this client from now on, or pause."""
        return self._within_budget(lambda: self._recordings.record(_sid(), arguments))

    def on_marker(self, *arguments: Any) -> dict[str, Any] | None:
        """Name a moment of the recording."""
        return self._within_budget(lambda: self._recordings.mark(_sid(), arguments))

    def on_name(self, *arguments: Any) -> dict[str, Any] | None:
        """Name the person of a face, for watchers and in the recording."""
        return self._within_budget(lambda: self._name_person(arguments))

    def on_rules(self, *arguments: Any) -> dict[str, Any] | None:
        """Replace the rules of this client's stream."""
        return self._within_budget(lambda: self._rules.set_rules(_sid(), arguments))

    def on_take(self, *arguments: Any) -> dict[str, Any] | None:
        """Keep the raw scores of a face for a while, to learn from."""
        return self._within_budget(lambda: self._corrector.take(_sid(), arguments))

    def on_learn(self, *arguments: Any) -> dict[str, Any] | None:
        """Judge what was taken."""
        return self._within_budget(lambda: self._corrector.learn(_sid(), arguments))

    def on_correct(self, *arguments: Any) -> dict[str, Any] | None:
        """Correct the shown scores of a face."""
        return self._within_budget(lambda: self._corrector.correct(_sid(), arguments))

    def end_idle(self) -> None:
        """Free the places of streams that send no frames; to be called about once a second."""
        for sid in self._streams.idle():
            self._tell_end(sid, self._streams.rest(sid))

    def withdraw(self, sid: str, _error: ServerFullError) -> None:
        """Take a stream's place back: its next frame asks for one again, and may be refused."""
        self._tell_end(sid, self._streams.rest(sid))

    def send_notice(self, notice: Notice) -> None:
        """Tell a client about its recording and rules; one that does not read it is not told more."""
        if self._connections.queued_packets(notice.client) < MAX_QUEUED_PACKETS:
            self._socketio.emit(notice.event, notice.data, to=notice.client)

    def on_unknown(self, event: str, *_arguments: Any) -> dict[str, Any] | None:
        """Any other event."""
        error = ProtocolError(f"There is no event {event!r:.40}. Allowed: {', '.join(EVENTS)}.")
        return self._within_budget(lambda: error_to_wire(None, error))

    def _within_budget(self, answer: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        """Answer a message, or disconnect a client that sends too much or reads too little."""
        sid = _sid()
        try:
            self._spend(sid)
        except (TooManyMessagesError, SlowReaderError) as exc:
            self._connections.close(sid, exc)
            return None
        return answer()

    def _name_person(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        try:
            message = parse_name(arguments)
            message = replace(message, name=check_person_name(message.name))
        except FerWebError as exc:
            return {"error": exc.to_wire()}
        self._watching.person_named(_sid(), message.face, message.name)
        return self._recordings.name_person(_sid(), message)

    def _analyse(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        try:
            message = parse_frame(arguments)
            check_jpeg_bytes(message.jpeg, self._limits.frame_bytes)
            return _answer_to_wire(self._scheduler.submit(self._open_stream(_sid()), message))
        except ServerFullError as exc:
            self._connections.hold(_sid())
            self._metrics.frame_refused(exc.code)
            return error_to_wire(seq_of(arguments), exc, retry_after_s=RETRY_S)
        except FerWebError as exc:
            self._metrics.frame_refused(exc.code)
            return error_to_wire(seq_of(arguments), exc)

    def _open_stream(self, sid: str) -> Stream:
        stream = self._streams.get_or_open(sid, self._senders.get(sid, THIS_MACHINE))
        if sid not in self._budgets:
            # Disconnected meanwhile, in another thread: nobody would close the stream again.
            self._end_stream(sid)
        else:
            self._watching.stream_began(sid)
            self._rules.stream_began(sid)
            self._admission.set_streaming(sid, True)
        return stream

    def _stop(self) -> dict[str, Any]:
        self._end_stream(_sid())
        self._recordings.finish(_sid())
        return {}

    def _end_stream(self, sid: str) -> None:
        self._tell_end(sid, self._streams.close(sid))

    def _tell_end(self, sid: str, stream: Stream | None) -> None:
        if stream is not None:
            self._scheduler.cancel(stream)
            self._watching.stream_ended(sid)
            self._rules.stream_ended(sid)
            self._admission.set_streaming(sid, False)

    def _spend(self, sid: str) -> None:
        budget = self._budgets.get(sid)
        if budget is None or not budget.take():
            raise TooManyMessagesError(
                f"More than {self._limits.frames_per_s} messages a second came. Wait for the answers: "
                f"{MAX_IN_FLIGHT} frames in flight are enough."
            )
        queued = self._connections.queued_packets(sid)
        if queued > MAX_QUEUED_PACKETS:
            raise SlowReaderError(f"{queued} answers wait to be read, {MAX_QUEUED_PACKETS} are allowed.")


def _answer_to_wire(answer: FrameAnswer) -> dict[str, Any]:
    if answer.result is not None:
        return result_to_wire(answer.seq, answer.result, answer.wait_ms)
    if answer.error is not None:
        return error_to_wire(answer.seq, answer.error)
    return dropped_to_wire(answer.seq, answer.dropped or DROPPED_OVERLOADED)


def _sid() -> str:
    return str(request.sid)  # type: ignore[attr-defined]  # added to the request by Flask-SocketIO

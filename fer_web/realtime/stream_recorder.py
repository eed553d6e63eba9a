"""The Socket.IO side of recording: what a client asks for, and what it is told of its recording."""

from collections.abc import Callable
from typing import Any

from fer_web.errors import FerWebError, NoOwnerError, RecordingStoppedError, TooManyMessagesError
from fer_web.history.recorder import Recorder
from fer_web.history.types import Session
from fer_web.history.write_batches import Notice
from fer_web.rate_limit import TokenBucket
from fer_web.realtime.protocol import (
    NameMessage,
    RecordMessage,
    marker_to_wire,
    parse_marker,
    parse_record,
)
from fer_web.realtime.scheduler import Concurrency
from fer_web.sharing.places import THIS_MACHINE, Sender

NEW_SESSIONS_PER_S = 1.0
"""New sessions of one client; a burst of two is for one that was switched on, off and on again."""

END_TIMEOUT_S = 2.0
"""`stop` waits this long for the last samples, so that the history then shows it finished."""


class StreamRecorder:
    """Validates what clients ask about recording, calls the recorder, and sends what it reports."""

    def __init__(
        self,
        recorder: Recorder,
        concurrency: Concurrency,
        owner_of_request: Callable[[], str | None],
        clock: Callable[[], float],
    ) -> None:
        """Args: owner_of_request: who the browser of the current request is; None where it has no cookie."""
        self._recorder = recorder
        self._concurrency = concurrency
        self._owner_of_request = owner_of_request
        self._clock = clock
        self._budgets: dict[str, TokenBucket] = {}
        self._senders: dict[str, Sender] = {}

    def connect(self, sid: str, sender: Sender) -> None:
        """A client is there; sender: whom its recordings are counted for."""
        self._senders[sid] = sender
        self._budgets[sid] = TokenBucket(NEW_SESSIONS_PER_S, self._clock)

    def disconnect(self, sid: str) -> None:
        """A client is gone; it may come back and go on."""
        self._budgets.pop(sid, None)
        self._senders.pop(sid, None)
        self._recorder.detach(sid)

    def record(self, sid: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Start, continue or pause; the reply of a `record` event."""
        try:
            message = parse_record(arguments)
            return self._begin(sid, message) if message.is_on else {"session": self._recorder.pause(sid)}
        except FerWebError as exc:
            return {"error": exc.to_wire()}

    def mark(self, sid: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Name a moment; the reply of a `marker` event."""
        try:
            message = parse_marker(arguments)
            marker = self._concurrency.run_waiting(self._recorder.mark, sid, message.at_s, message.text)
            return marker_to_wire(marker)
        except FerWebError as exc:
            return {"error": exc.to_wire()}

    def name_person(self, sid: str, message: NameMessage) -> dict[str, Any]:
        """Name the person of a face in the recording; the reply of a `name` event."""
        try:
            self._concurrency.run_waiting(self._recorder.name_person, sid, message.face, message.name)
            return {}
        except FerWebError as exc:
            return {"error": exc.to_wire()}

    def finish(self, sid: str) -> None:
        """The client stopped: its session ends. Waits a little for its last samples."""
        session_id = self._recorder.finish(sid)
        if session_id is not None:
            self._concurrency.run_waiting(self._recorder.wait_for_end, session_id, END_TIMEOUT_S)

    def announce(self, send: Callable[[Notice], None]) -> None:
        """Send notices until the recorder stops; runs beside the handlers."""
        while (notice := self._concurrency.run_native(self._recorder.next_notice)) is not None:
            send(notice)

    def _begin(self, sid: str, message: RecordMessage) -> dict[str, Any]:
        owner = self._owner_of_request()
        if owner is None:
            raise NoOwnerError(
                "Whose recording this is cannot be told: no cookie of this server came. "
                "Open its page once and connect with the cookies that it set."
            )
        if message.session is not None:
            session = self._go_on(sid, owner, message.session)
        else:
            self._spend(sid)
            session = self._concurrency.run_waiting(
                self._recorder.start, sid, owner, message.name, self._sender(sid)
            )
        if sid not in self._budgets:
            # Disconnected meanwhile: nobody would end it.
            self._recorder.detach(sid)
        return {"session": session.id, "sample_hz": session.sample_hz}

    def _go_on(self, sid: str, owner: str, session_id: str) -> Session:
        try:
            return self._recorder.resume(sid, owner, session_id)
        except RecordingStoppedError:
            self._spend(sid)
            return self._concurrency.run_waiting(
                self._recorder.reopen, sid, owner, session_id, self._sender(sid)
            )

    def _sender(self, sid: str) -> Sender:
        return self._senders.get(sid, THIS_MACHINE)

    def _spend(self, sid: str) -> None:
        budget = self._budgets.get(sid)
        if budget is None or not budget.take():
            raise TooManyMessagesError("New recordings are started too fast. Wait a second, then try again.")

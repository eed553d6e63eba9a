"""Stores what a recording holds, and says to its client how that went."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fer_web.errors import (
    DatabaseError,
    FerWebError,
    HistoryFullError,
    InternalError,
    NotFoundError,
    RecordingGapError,
    RecordingStoppedError,
)
from fer_web.history.live_recording import LiveRecording
from fer_web.history.quota import Use, check_quota
from fer_web.history.types import Marker, NewSession, Sample, Session, SessionFace

_log = logging.getLogger(__name__)

MAX_NOTICES = 1000
"""Notices that may wait to be sent; past it the oldest goes, because a newer one says more."""


OnBatch = Callable[[str, int, float], None]
"""Takes what became of a batch (`saved`, or an error's code), its stored samples, and seconds."""


class RecordingStore(Protocol):
    """A store does what recording needs of HistoryRepository; all of it blocks."""

    def open_session(self, new: NewSession, session_id: str) -> Session:
        """Store a session that begins, unless it is there."""
        ...

    def use_of(self, owner: str) -> Use:
        """How much an owner has stored."""
        ...

    def reopen_session(self, session_id: str, owner: str) -> tuple[Session, int]:
        """Let a session go on; returns it, with its largest face number."""
        ...

    def add_batch(self, session_id: str, batch: Sequence[Sample]) -> int:
        """Store samples; returns how many the session has now."""
        ...

    def set_settings(self, session_id: str, settings: dict[str, Any]) -> None:
        """Replace what decided the session's results."""
        ...

    def finish_session(self, session_id: str, length_s: float) -> Session:
        """End a session."""
        ...

    def let_go(self, session_id: str, length_s: float) -> None:
        """Leave a session to whichever server its client comes to."""
        ...

    def renew_leases(self, session_ids: Sequence[str]) -> int:
        """Vouch for sessions that are recorded, and close those of servers that are gone."""
        ...

    def add_marker(self, session_id: str, owner: str | None, at_s: float, text: str) -> Marker:
        """Name a moment."""
        ...

    def update_person(
        self, session_id: str, owner: str | None, face: int, *, name: str | None = None
    ) -> Sequence[SessionFace]:
        """Name the person of a face."""
        ...


@dataclass(frozen=True)
class Notice:
    """Something that a client should hear: an event and its data."""

    client: str
    event: str
    data: dict[str, Any]


class Notices:
    """A bounded queue of notices, from native threads to whoever sends them."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Notice | None] = queue.Queue(MAX_NOTICES)

    def put(self, notice: Notice | None) -> None:
        """Append, without waiting."""
        while True:
            try:
                return self._queue.put_nowait(notice)
            except queue.Full:
                self._drop_oldest()

    def close(self) -> None:
        """No more will come."""
        self.put(None)

    def next(self) -> Notice | None:
        """Wait for the next one; None at the end."""
        return self._queue.get()

    def _drop_oldest(self) -> None:
        try:
            self._queue.get_nowait()
        except queue.Empty:  # sent meanwhile
            return


class BatchWriter:
    """Used by the recorder's writer thread; `tell_problem` by others too, while that thread waits."""

    def __init__(
        self,
        store: RecordingStore,
        lock: threading.Lock,
        notices: Notices,
        on_batch: OnBatch = lambda *_: None,
    ) -> None:
        """Args: lock: guards recordings; never held during a query. on_batch: is told of each batch."""
        self._on_batch = on_batch
        self._store = store
        self._lock = lock
        self._notices = notices
        self._opening = threading.Lock()

    def open(self, recording: LiveRecording) -> None:
        """Store a session's row, where it is not there yet: with its first sample, marker or name.

        Raises: HistoryFullError: its owner is a visitor who has enough. DatabaseError, NotFoundError.
        """
        with self._opening:  # held over a query, by threads that may wait
            if recording.new is None:
                return
            if recording.sender.is_guest:
                check_quota(self._store.use_of(recording.session.owner), new_sessions=1)
            self._store.open_session(recording.new, recording.session.id)
            recording.new = None

    def store(self, recording: LiveRecording) -> None:
        """Store a recording's samples, and its end when it has ended or goes to another server.

        Raises: DatabaseError: not now; the samples are kept, and are stored by a later call.
        """
        try:
            self._store_samples(recording)
            self._store_settings(recording)
            if recording.has_left:
                self._store_samples(recording)  # those that came during the first batch
                self._end(recording)
        except NotFoundError:
            recording.has_ended.set()
            self.tell_problem(recording, RecordingStoppedError("The session was deleted: recording stopped."))
        except HistoryFullError as exc:
            self._give_up(recording, exc)
        except RecordingStoppedError as exc:  # another server has taken it over
            recording.has_ended.set()
            self.tell_problem(recording, exc)
        except DatabaseError:
            raise
        except Exception:
            self._leave_out(recording)

    def tell_problem(self, recording: LiveRecording, error: FerWebError) -> None:
        """Tell the client what keeps its samples from being stored, once for each kind of problem."""
        if recording.has_gap:
            told = error.to_wire()["message"]
            error = RecordingGapError(
                f"{told} It took so long that some samples are missing from this recording."
            )
        if recording.problem != error.code:
            recording.problem = error.code
            _log.warning("Recording: %s", error)
            self._tell(recording, "recording_problem", error.to_wire())

    def _end(self, recording: LiveRecording) -> None:
        if recording.new is None:  # one without a sample leaves nothing
            if recording.is_leaving:
                self._store.let_go(recording.session.id, recording.left_s)
            else:
                self._store.finish_session(recording.session.id, recording.length_s or 0.0)
        recording.has_ended.set()

    def _give_up(self, recording: LiveRecording, error: HistoryFullError) -> None:
        if recording.new is None:
            elapsed_s = recording.batch[-1].at_s if recording.batch else 0.0
            self._store.finish_session(recording.session.id, recording.length_s or elapsed_s)
        recording.has_ended.set()
        self.tell_problem(recording, error)

    def _store_settings(self, recording: LiveRecording) -> None:
        if recording.new is not None:
            return
        with self._lock:
            is_due, settings = recording.has_new_settings, recording.settings
        if not is_due:
            return
        self._store.set_settings(recording.session.id, settings)
        with self._lock:
            # Another choice may have come meanwhile.
            recording.has_new_settings = recording.settings is not settings

    def _store_samples(self, recording: LiveRecording) -> None:
        with self._lock:
            batch = recording.next_batch()
        if not batch:
            return
        self.open(recording)
        if recording.sender.is_guest:
            check_quota(self._store.use_of(recording.session.owner))
        total = self._add(recording.session.id, batch)
        with self._lock:
            recording.batch = []
            recording.has_gap, recording.problem = False, None
        saved = {"session": recording.session.id, "samples": total, "until_s": batch[-1].at_s}
        self._tell(recording, "saved", saved)

    def _add(self, session_id: str, batch: Sequence[Sample]) -> int:
        began_s = time.perf_counter()
        try:
            total = self._store.add_batch(session_id, batch)
        except FerWebError as exc:
            self._on_batch(exc.code, 0, time.perf_counter() - began_s)
            raise
        self._on_batch("saved", len(batch), time.perf_counter() - began_s)
        return total

    def _leave_out(self, recording: LiveRecording) -> None:
        """A bug: trying the same again would fail again, and hold up what comes after it."""
        _log.exception("%d samples could not be stored; they are left out", len(recording.batch))
        with self._lock:
            recording.batch = []
        if recording.length_s is not None or recording.is_leaving:
            recording.has_ended.set()
        self.tell_problem(
            recording, InternalError("Some samples could not be stored. The server's log says why.")
        )

    def _tell(self, recording: LiveRecording, event: str, data: dict[str, Any]) -> None:
        with self._lock:
            client = recording.client
        if client is not None:
            self._notices.put(Notice(client, event, data))

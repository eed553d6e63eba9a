"""Records live streams: takes samples as frames are analysed, and stores them from one thread of its own."""

import datetime
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fer_web.errors import DatabaseError, RecordingError, RecordingStoppedError, ServerFullError
from fer_web.history.live_recording import LiveRecording, SessionClock
from fer_web.history.quota import check_quota
from fer_web.history.session_texts import check_marker_text, check_name
from fer_web.history.types import Marker, NewSession, RecordedMoment, Session
from fer_web.history.write_batches import BatchWriter, Notice, Notices, OnBatch, RecordingStore
from fer_web.history.writing import check_at_s, new_session_id
from fer_web.inference.results import FrameResult
from fer_web.sharing.places import THIS_MACHINE, Sender, check_place
from fer_web.sharing.shared_limits import Claim, NoPlacesElsewhere, PlacesElsewhere

_log = logging.getLogger(__name__)

_LATE = "The history's database does not answer. What is recorded waits, and is stored when it does."

BATCH_S = 0.5
"""Seconds between two batches of a session: so much, and the time of a commit, is lost with the process."""

GRACE_S = 15.0
"""A client that is gone may come back within this and go on."""

RETRY_S = 1.0
"""The database is left alone for this long after an error."""

LATE_S = 5.0
"""A client is told when the database has not answered for this long, whatever it is that takes the time."""

STOP_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class RecordingModel:
    """This model made the samples of all a server's sessions. `settings` are plain JSON types."""

    name: str
    hash: str
    sample_hz: float
    settings: dict[str, Any]


class Recorder:
    """The sessions that are being recorded, by client.

    `sample`, `detach`, `pause`, `resume` and `tell_late` only change memory and may be called on eventlet's
    hub. `start`, `reopen`, `mark`, `renew_leases` and `wait_for_end` block: call them through `run_waiting`.
    `next_notice` has a thread of its own.
    """

    def __init__(
        self,
        store: RecordingStore,
        model: RecordingModel,
        max_recordings: int,
        clock: Callable[[], float] = time.monotonic,
        on_batch: OnBatch = lambda *_: None,
        *,
        lets_go: bool = False,
        elsewhere: PlacesElsewhere | None = None,
    ) -> None:
        """Args:
        clock: monotonic seconds.
        on_batch: is told of each batch, in the writer's thread.
        lets_go: a client that is gone may have gone to another server, which goes on with its session.
        elsewhere: recordings of other servers; by default none.
        """
        self._elsewhere = elsewhere or NoPlacesElsewhere()
        self._lets_go = lets_go
        self._store = store
        self._model = model
        self._max_recordings = max_recordings
        self._clock = clock
        # Held for a few assignments only, never over a switch of green threads and never over a query.
        self._lock = threading.Lock()
        self._recordings: dict[str, LiveRecording] = {}
        self._of_client: dict[str, LiveRecording] = {}
        self._notices = Notices()
        self._batches = BatchWriter(store, self._lock, self._notices, on_batch)
        self._wake = threading.Event()
        self._is_stopping = False
        self._next_round_s = 0.0
        self._not_before_s = 0.0
        self._waits_since_s: float | None = None
        self._renewing = threading.Lock()
        self._writer = threading.Thread(target=self._write, name="history-writer", daemon=True)

    def open(self) -> None:
        """Start the writer."""
        self._writer.start()

    def stop(self) -> None:
        """Finish all sessions, store what waits, and end the writer; gives up after STOP_TIMEOUT_S.

        Sessions that can go on at another server are let go of.
        """
        with self._lock:
            self._is_stopping = True
            for recording in self._recordings.values():
                self._leave(recording) if self._lets_go else self._end(recording)
        self._wake.set()
        self._writer.join(STOP_TIMEOUT_S)
        if self._writer.is_alive():
            _log.error("The last samples could not be stored in time; their sessions count as interrupted.")
        self._notices.close()

    def start(self, client: str, owner: str, name: str, sender: Sender = THIS_MACHINE) -> Session:
        """Record this client from now on, in a new session; one that it had is finished.

        It is stored with its first sample, marker or name, so that one without leaves nothing.

        Args: sender: whom its place is counted for.
        Raises: ServerFullError: too many are recorded. InvalidValueError: the name. HistoryFullError: a
            visitor who has enough. DatabaseError.
        """
        self._check_room(sender)
        model = self._model
        clock, started_at = SessionClock(self._clock()), datetime.datetime.now(datetime.UTC)
        name = check_name(name)
        new = NewSession(owner, name, started_at, model.name, model.hash, model.sample_hz, model.settings)
        if sender.is_guest:
            check_quota(self._store.use_of(owner), new_sessions=1)
        session = new.as_session(new_session_id())
        self._begin(LiveRecording(session, clock, client, sender=sender, new=new))
        return session

    def reopen(self, client: str, owner: str, session_id: str, sender: Sender = THIS_MACHINE) -> Session:
        """Go on with a session of this owner that ended a moment ago, with the server or without its client.

        Raises: RecordingStoppedError: it ended too long ago, or is none of this owner's. ServerFullError.
            DatabaseError.
        """
        self._check_room(sender, session_id)
        with self._lock:
            here = self._recordings.get(session_id)
            if here is not None and not here.is_leaving:  # its last samples are being stored
                raise RecordingStoppedError()
        if here is not None and not here.has_ended.wait(STOP_TIMEOUT_S):
            raise DatabaseError(_LATE)
        session, last_face = self._store.reopen_session(session_id, owner)
        passed_s = (datetime.datetime.now(datetime.UTC) - session.started_at).total_seconds()
        clock = SessionClock(self._clock() - max(passed_s, session.length_s))
        self._begin(LiveRecording(session, clock, client, first_face=last_face, sender=sender))
        return session

    def _check_room(self, sender: Sender, session_id: str = "") -> None:
        with self._lock:
            if self._is_stopping:
                raise ServerFullError("The server stops. Record when it runs again.")
            taken = [each.sender for each in self._recordings.values()]
        elsewhere = self._elsewhere.senders(besides=session_id)
        check_place("recordings", self._max_recordings, [*taken, *elsewhere], sender)

    def held(self) -> Sequence[Claim]:
        """The places that recordings of this server have; one that goes on elsewhere is that one's."""
        with self._lock:
            here = [each for each in self._recordings.values() if not each.is_leaving]
            return [Claim(each.session.id, each.since_s, each.sender) for each in here]

    def withdraw(self, session_id: str, error: ServerFullError) -> None:
        """Take a place back that another server gave away at the same moment: the recording ends."""
        with self._lock:
            recording = self._recordings.get(session_id)
            if recording is None or recording.has_left:
                return
            client = recording.client
            self._end_of(client) if client is not None else self._end(recording)
        self._batches.tell_problem(recording, error)
        self._wake.set()

    def _begin(self, recording: LiveRecording) -> None:
        assert recording.client is not None  # of a recording that begins
        with self._lock:
            self._end_of(recording.client)
            self._recordings[recording.session.id] = self._of_client[recording.client] = recording
        self._wake.set()
        self._elsewhere.changed()

    def resume(self, client: str, owner: str, session_id: str) -> Session:
        """Go on with a session of this owner after a pause or a disconnect.

        Raises: RecordingStoppedError: it ended, or is none of this owner's.
        """
        with self._lock:
            recording = self._recordings.get(session_id)
            if recording is None or recording.has_left or recording.session.owner != owner:
                raise RecordingStoppedError()
            if self._of_client.get(client) is not recording:
                self._end_of(client)
            if recording.client is not None:
                self._of_client.pop(recording.client, None)
            self._of_client[client] = recording
            recording.begin_stream(client)
            return recording.session

    def pause(self, client: str) -> str | None:
        """Take no samples of this client until it resumes; returns the session's id where there is one."""
        with self._lock:
            recording = self._of_client.get(client)
            if recording is None:
                return None
            recording.is_paused = True
            return recording.session.id

    def detach(self, client: str) -> None:
        """The client is gone: its session is finished after GRACE_S, with the length that it has now.

        Where it can go on at another server, this one lets go of it as soon as its samples are stored.
        """
        with self._lock:
            recording = self._of_client.pop(client, None)
            if recording is None:
                return
            if self._lets_go:
                self._leave(recording)
            else:
                recording.left_s = recording.clock.elapsed_s(self._clock())
                recording.ends_at_s = self._clock() + GRACE_S
            recording.client = None
        self._wake.set()

    def finish(self, client: str) -> str | None:
        """End this client's session; returns its id where there is one."""
        with self._lock:
            session_id = self._end_of(client)
        self._wake.set()
        return session_id

    def wait_for_end(self, session_id: str, timeout_s: float) -> bool:
        """Wait until a session that was finished is stored; False when it takes longer."""
        recording = self._recordings.get(session_id)
        return recording is None or recording.has_ended.wait(timeout_s)

    def sample(self, client: str, captured_s: float, result: FrameResult) -> None:
        """Take what was found in a frame of this client; nothing where it is not recorded."""
        with self._lock:
            recording = self._of_client.get(client)
            if recording is not None and not recording.is_paused:
                now_s = self._clock()
                recording.use(recording.choices_of(result), now_s)
                recording.take(captured_s, result.faces, now_s)

    def mark(self, client: str, at_s: float | None, text: str) -> Marker:
        """Name a moment of this client's session; None is now.

        Raises: RecordingError: it is not recorded. InvalidValueError, NotFoundError, DatabaseError.
        """
        with self._lock:
            recording = self._of_client.get(client)
            if recording is None:
                raise RecordingError("Nothing is being recorded. Switch recording on, then set a marker.")
            session, now_s = recording.session, recording.clock.elapsed_s(self._clock())
        at_s, text = check_at_s(now_s if at_s is None else at_s), check_marker_text(text)
        self._batches.open(recording)
        return self._store.add_marker(session.id, session.owner, at_s, text)

    def moment(self, client: str) -> RecordedMoment | None:
        """Return this moment of a client's session; None while it is not recorded. Only reads memory."""
        with self._lock:
            recording = self._of_client.get(client)
            if recording is None or recording.is_paused:
                return None
            session = recording.session
            return RecordedMoment(session.id, session.owner, recording.clock.elapsed_s(self._clock()))

    def mark_moment(self, moment: RecordedMoment, text: str) -> Marker:
        """Name a moment that `moment` gave; blocks. Raises as `mark`."""
        recording = self._recordings.get(moment.session_id)
        if recording is not None:
            self._batches.open(recording)
        return self._store.add_marker(moment.session_id, moment.owner, moment.at_s, text)

    def tell(self, client: str, event: str, data: dict[str, Any]) -> None:
        """Let a client hear something that is not of its recording, in any thread and without waiting."""
        self._notices.put(Notice(client, event, data))

    def name_person(self, client: str, face_id: int, name: str) -> None:
        """Say what the person of a face of this client's stream is called; empty takes the name away.

        Raises: RecordingError: it is not recorded. InvalidValueError, NotFoundError, DatabaseError.
        """
        with self._lock:
            recording = self._of_client.get(client)
            if recording is None:
                raise RecordingError("Nothing is being recorded: watchers see the name, but it is not kept.")
            session, face = recording.session, recording.first_face + face_id
        self._batches.open(recording)
        self._store.update_person(session.id, session.owner, face, name=name)

    @property
    def count(self) -> int:
        """Sessions that are being recorded."""
        return len(self._recordings)

    def renew_leases(self) -> None:
        """Vouch for what is recorded here, and close what other servers left behind; every RENEW_S."""
        if not self._renewing.acquire(blocking=False):  # a database that hangs holds one thread, not many
            return
        try:
            with self._lock:
                own = [each.session.id for each in self._recordings.values() if not each.has_left]
            if closed := self._store.renew_leases(own):
                _log.info("%d sessions of a server that is gone were closed", closed)
        except DatabaseError as exc:
            _log.debug("No lease was renewed: %s", exc)  # the writer tells of the same
        finally:
            self._renewing.release()

    def tell_late(self) -> None:
        """Tell all clients when the writer has waited for the database for LATE_S; called each second."""
        since_s = self._waits_since_s
        if since_s is None or self._clock() - since_s < LATE_S:
            return
        with self._lock:
            waiting = list(self._recordings.values())
        for recording in waiting:
            self._batches.tell_problem(recording, DatabaseError(_LATE))

    def next_notice(self) -> Notice | None:
        """Wait for what to tell a client next, and return it. None at the end."""
        return self._notices.next()

    def store_due(self) -> None:
        """One turn of the writer: store sessions that ended, and each half second what waits of all."""
        now_s = self._clock()
        is_round = now_s >= self._next_round_s
        if is_round:
            self._next_round_s = now_s + BATCH_S
        if now_s < self._not_before_s and not self._is_stopping:
            return
        due = self._due(now_s, is_round)
        for number, recording in enumerate(due):
            self._waits_since_s = self._clock()
            try:
                self._batches.store(recording)
            except DatabaseError as exc:
                self._not_before_s = self._clock() + RETRY_S
                for waiting in due[number:]:
                    self._batches.tell_problem(waiting, exc)
                return
            finally:
                self._waits_since_s = None
            if recording.has_ended.is_set():
                self._forget(recording)

    def _end_of(self, client: str) -> str | None:
        recording = self._of_client.pop(client, None)
        if recording is None:
            return None
        self._end(recording)
        return recording.session.id

    def _end(self, recording: LiveRecording) -> None:
        if recording.length_s is None:
            is_gone = recording.client is None
            recording.length_s = recording.left_s if is_gone else recording.clock.elapsed_s(self._clock())

    def _leave(self, recording: LiveRecording) -> None:
        if not recording.has_left:
            recording.left_s = recording.clock.elapsed_s(self._clock())
            recording.is_leaving = True

    def _write(self) -> None:
        while not (self._is_stopping and not self._recordings):
            self._wake.wait(max(0.0, self._next_round_s - self._clock()) if self._recordings else None)
            self._wake.clear()
            try:
                self.store_due()
            except Exception:
                _log.exception("The history's writer failed; it goes on")

    def _due(self, now_s: float, is_round: bool) -> list[LiveRecording]:
        with self._lock:
            for recording in self._recordings.values():
                if recording.ends_at_s is not None and now_s >= recording.ends_at_s:
                    self._end(recording)
            return [
                recording
                for recording in self._recordings.values()
                if recording.has_left
                or (is_round and (recording.batch or recording.waiting or recording.has_new_settings))
            ]

    def _forget(self, recording: LiveRecording) -> None:
        with self._lock:
            if self._recordings.get(recording.session.id) is recording:  # it may have come back meanwhile
                del self._recordings[recording.session.id]
            if recording.client is not None and self._of_client.get(recording.client) is recording:
                self._of_client.pop(recording.client)
        self._elsewhere.changed()

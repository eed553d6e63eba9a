"""The recorder on a clock and a store of our own, one round of the writer at a time."""

import datetime
import logging
from dataclasses import dataclass

import pytest

from fer_web.errors import (
    DatabaseFullError,
    DatabaseLockedError,
    HistoryFullError,
    InvalidValueError,
    NotFoundError,
    RecordingError,
    RecordingStoppedError,
    ServerFullError,
)
from fer_web.history.live_recording import CHOSEN, MAX_CHOICES, MAX_WAITING
from fer_web.history.quota import MAX_SAMPLES_OF_VISITOR, MAX_SESSIONS_OF_VISITOR, Use
from fer_web.history.recorder import BATCH_S, GRACE_S, RETRY_S, Recorder, RecordingModel
from fer_web.history.types import Marker
from fer_web.inference.results import FrameResult
from fer_web.inference.stream_settings import SERVER_SETTINGS, StreamSettings
from fer_web.sharing.places import Sender
from tests.support.face_results import face
from tests.support.sessions import session_with


class MemoryStore:
    """Keeps what is stored, or fails with `error`."""

    def __init__(self):
        self.stored = {}
        self.finished = {}
        self.settings = {}
        self.names = {}
        self.let_gone = {}
        self.taken = set()  # by another server
        self.error = None
        self.opening_error = None
        self.use = Use(0, 0)
        self.calls = 0

    def open_session(self, new, session_id):
        if self.opening_error is not None:
            raise self.opening_error
        self.stored.setdefault(session_id, [])
        return new.as_session(session_id)

    def use_of(self, owner):
        return self.use

    def reopen_session(self, session_id, owner):
        if session_id not in {**self.finished, **self.let_gone}:
            raise RecordingStoppedError()
        started_at = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=40)
        session = session_with(
            id=session_id, owner=owner, sample_hz=5.0, started_at=started_at, length_s=30.0
        )
        return session, max(sample.face for sample in self.stored[session_id])

    def add_batch(self, session_id, batch):
        self.calls += 1
        self.fail()
        if session_id in self.taken:
            raise RecordingStoppedError("over another connection")
        self.stored[session_id] += batch
        return len(self.stored[session_id])

    def set_settings(self, session_id, settings):
        self.fail()
        self.settings[session_id] = settings

    def finish_session(self, session_id, length_s):
        self.fail()
        self.finished[session_id] = length_s

    def let_go(self, session_id, length_s):
        self.fail()
        self.let_gone[session_id] = length_s

    def add_marker(self, session_id, owner, at_s, text):
        return Marker(session_id, at_s, text)

    def update_person(self, session_id, owner, face, *, name=None):
        self.names[session_id, owner, face] = name

    def fail(self):
        if self.error is not None:
            raise self.error


class Bench:
    """A recorder, its store, its clock and its notices."""

    def __init__(self, **options):
        self.now_s = 100.0
        self.store = MemoryStore()
        model = RecordingModel("m", "h", 5.0, {})
        self.recorder = Recorder(self.store, model, 3, lambda: self.now_s, **options)

    def film(self, seconds, client="a", numbers=(1,), settings=SERVER_SETTINGS, corrected=()):
        """Frames at 10 a second, with a round of the writer after each."""
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            result = FrameResult(tuple(face(number) for number in numbers), {}, settings, corrected)
            self.recorder.sample(client, self.now_s, result)
            self.recorder.store_due()

    def wait(self, seconds):
        self.now_s += seconds
        self.recorder.store_due()

    def notices(self):
        self.recorder._notices.close()
        return list(iter(self.recorder.next_notice, None))


@pytest.fixture
def bench():
    return Bench()


def codes(notices):
    return [notice.data.get("code", notice.event) for notice in notices]


def test_samples_are_stored_in_batches_of_half_a_second(bench):
    session = bench.recorder.start("a", "ann", "A film")
    bench.film(10)
    assert len(bench.store.stored[session.id]) == pytest.approx(50, abs=3)
    assert bench.store.calls <= 10 / BATCH_S


def test_saved_comes_after_each_batch_with_what_is_stored(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(2)
    notices = bench.notices()
    assert {(notice.client, notice.event) for notice in notices} == {("a", "saved")}
    totals = [notice.data["samples"] for notice in notices]
    assert totals == sorted(totals)
    assert notices[-1].data == {
        "session": session.id,
        "samples": len(bench.store.stored[session.id]),
        "until_s": bench.store.stored[session.id][-1].at_s,
    }


def test_session_says_what_its_page_chose_and_when(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    assert bench.store.settings == {}
    bench.film(1, settings=StreamSettings(unsure_below=0.6))
    bench.film(1)
    first, last = bench.store.settings[session.id][CHOSEN]
    assert first == {"at_s": pytest.approx(1.1, abs=0.15), "unsure_below": 0.6}
    assert last == {"at_s": pytest.approx(2.1, abs=0.15)}


def test_session_says_from_when_on_which_faces_are_corrected(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.film(1, corrected=(1, 4))
    bench.film(1, settings=StreamSettings(unsure_below=0.6))
    first, last = bench.store.settings[session.id][CHOSEN]
    assert first == {"at_s": pytest.approx(1.1, abs=0.15), "corrected_faces": [1, 4]}
    assert last == {"at_s": pytest.approx(2.1, abs=0.15), "unsure_below": 0.6}


def test_choices_of_a_session_are_bounded_and_survive_a_database_error(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.store.error = DatabaseLockedError("Locked.")
    for number in range(MAX_CHOICES + 5):
        bench.film(0.1, settings=StreamSettings(smoothing_s=number / 10))
    bench.store.error = None
    bench.wait(RETRY_S + BATCH_S)
    chosen = bench.store.settings[session.id][CHOSEN]
    assert [choice["smoothing_s"] for choice in chosen][-1] == (MAX_CHOICES + 4) / 10
    assert len(chosen) == MAX_CHOICES


def test_client_that_does_not_record_is_not_sampled(bench):
    bench.recorder.start("a", "ann", "")
    bench.film(1, client="b")
    assert bench.store.stored == {}


def test_pause_takes_no_samples_and_resume_goes_on_at_the_right_time(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    assert bench.recorder.pause("a") == session.id
    bench.film(5)
    assert bench.recorder.resume("a", "ann", session.id).id == session.id
    bench.film(1)
    bench.wait(1)
    times = [each.at_s for each in bench.store.stored[session.id]]
    assert not [at_s for at_s in times if 1.1 < at_s < 5.9]
    assert max(times) == pytest.approx(7.0, abs=0.3)


def test_pause_without_a_recording_is_none(bench):
    assert bench.recorder.pause("a") is None


def test_finish_stores_what_waits_at_once(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(0.3)
    assert bench.recorder.finish("a") == session.id
    bench.recorder.store_due()
    assert bench.store.finished == {session.id: pytest.approx(0.3)}
    assert len(bench.store.stored[session.id]) == 2
    assert bench.recorder.wait_for_end(session.id, 0)
    bench.film(1)
    assert len(bench.store.stored[session.id]) == 2


def test_start_finishes_the_session_before(bench):
    first = bench.recorder.start("a", "ann", "")
    bench.film(1)
    second = bench.recorder.start("a", "ann", "")
    bench.film(1)
    assert list(bench.store.finished) == [first.id]
    assert len(bench.store.stored[second.id]) >= 3


def test_client_that_comes_back_within_the_grace_time_goes_on(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.recorder.detach("a")
    bench.wait(GRACE_S - 0.1)
    bench.recorder.resume("b", "ann", session.id)
    bench.film(1, client="b")
    bench.wait(GRACE_S)
    assert bench.store.finished == {}
    assert {each.face for each in bench.store.stored[session.id]} == {1, 2}


def test_client_that_stays_away_is_finished_with_the_length_it_had(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.recorder.detach("a")
    bench.wait(GRACE_S + 0.1)
    assert bench.store.finished == {session.id: pytest.approx(1.0)}
    with pytest.raises(RecordingStoppedError):
        bench.recorder.resume("b", "ann", session.id)


def test_reopened_session_goes_on_at_its_time_with_faces_of_its_own(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1, numbers=(1, 2))
    bench.recorder.detach("a")
    bench.wait(GRACE_S + 0.1)
    assert bench.recorder.reopen("b", "ann", session.id).id == session.id
    count = len(bench.store.stored[session.id])
    bench.film(1, client="b", numbers=(1,))
    later = bench.store.stored[session.id][count:]
    assert {sample.face for sample in later} == {3}
    assert min(sample.at_s for sample in later) == pytest.approx(40, abs=1)


def test_reopening_what_is_still_being_stored_is_refused(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.recorder.finish("a")
    with pytest.raises(RecordingStoppedError, match="session null"):
        bench.recorder.reopen("b", "ann", session.id)


def test_client_that_comes_back_before_its_old_connection_is_given_up_takes_over(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.recorder.resume("b", "ann", session.id)
    bench.recorder.detach("a")
    bench.film(1, client="a")
    assert bench.store.stored == {}
    bench.film(1, client="b")
    bench.wait(GRACE_S)
    assert bench.store.finished == {}
    assert len(bench.store.stored[session.id]) >= 4


def one_of_several():
    """A bench whose clients may go to another server."""
    return Bench(lets_go=True)


def test_one_of_several_servers_stores_what_it_has_and_lets_go_when_the_client_is_gone():
    bench = one_of_several()
    session = bench.recorder.start("a", "ann", "")
    bench.film(1.3)
    bench.recorder.detach("a")
    with pytest.raises(RecordingStoppedError):
        bench.recorder.resume("b", "ann", session.id)
    bench.recorder.store_due()
    # Of 1.3 s at five a second, with no half second to wait for.
    assert len(bench.store.stored[session.id]) == pytest.approx(6.5, abs=1)
    assert bench.store.let_gone == {session.id: pytest.approx(1.3)}
    bench.wait(GRACE_S + 1)
    assert bench.store.finished == {}
    assert bench.recorder.count == 0


def test_what_cannot_be_stored_now_is_let_go_of_later():
    bench = one_of_several()
    session = bench.recorder.start("a", "ann", "")
    bench.film(0.4)
    bench.store.error = DatabaseLockedError("locked")
    bench.recorder.detach("a")
    bench.wait(1)
    assert bench.store.let_gone == {}
    bench.store.error = None
    bench.wait(RETRY_S + 0.1)
    assert len(bench.store.stored[session.id]) == 2
    assert bench.store.let_gone == {session.id: pytest.approx(0.4)}


def test_a_session_that_was_let_go_of_here_is_reopened_here():
    bench = one_of_several()
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.recorder.detach("a")
    bench.recorder.store_due()
    assert bench.recorder.reopen("b", "ann", session.id).id == session.id
    bench.film(1, client="b")
    assert max(sample.face for sample in bench.store.stored[session.id]) == 2


def test_a_session_that_another_server_took_over_is_forgotten_and_its_client_told_once():
    bench = one_of_several()
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.store.taken.add(session.id)
    bench.film(2)
    assert bench.recorder.count == 0
    assert bench.store.finished == bench.store.let_gone == {}
    assert codes(bench.notices()).count("recording_stopped") == 1


def test_one_of_several_servers_that_stops_lets_go_of_all():
    bench = one_of_several()
    bench.recorder.open()
    session = bench.recorder.start("a", "ann", "")
    for frame in range(10):
        bench.now_s += 0.1
        bench.recorder.sample("a", frame / 10, FrameResult((face(1),), {}, SERVER_SETTINGS, ()))
    bench.recorder.stop()
    assert list(bench.store.let_gone) == [session.id]
    assert len(bench.store.stored[session.id]) == pytest.approx(5, abs=1)
    assert bench.store.finished == {}


def test_a_place_that_another_server_gave_away_before_ends_the_recording_with_what_it_has():
    bench = one_of_several()
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    assert [claim.key for claim in bench.recorder.held()] == [session.id]
    bench.recorder.withdraw(session.id, ServerFullError("All places are taken."))
    bench.recorder.withdraw(session.id, ServerFullError("All places are taken."))
    bench.film(1)
    assert list(bench.store.finished) == [session.id]
    assert codes(bench.notices()).count("server_full") == 1
    assert bench.recorder.held() == []


@dataclass
class Face:
    """A sample's face."""

    face: int


class Elsewhere:
    """Three recordings of another server; one of them moves here."""

    def senders(self, besides=""):
        return [Sender(each) for each in ("s1", "s2", "s3") if each != besides]

    def changed(self):
        pass


def test_recordings_of_other_servers_are_counted_but_the_one_that_moves_here():
    bench = Bench(elsewhere=Elsewhere())
    with pytest.raises(ServerFullError):
        bench.recorder.start("a", "ann", "")
    bench.store.finished["s2"], bench.store.stored["s2"] = 1.0, [Face(1)]
    assert bench.recorder.reopen("a", "ann", "s2").id == "s2"


@pytest.mark.parametrize(("owner", "session_id"), [("bob", "s0"), ("ann", "unknown")])
def test_resume_of_what_is_not_ones_own_is_refused(bench, owner, session_id):
    bench.recorder.start("a", "ann", "")
    with pytest.raises(RecordingStoppedError, match="session null"):
        bench.recorder.resume("b", owner, session_id)


def test_one_recording_too_many_is_refused(bench):
    for client in ("a", "b", "c"):
        bench.recorder.start(client, "ann", "")
    with pytest.raises(ServerFullError, match="--max-clients"):
        bench.recorder.start("d", "ann", "")
    bench.recorder.finish("a")
    bench.recorder.store_due()
    bench.recorder.start("d", "ann", "")


def test_a_name_goes_to_the_number_that_the_face_has_in_the_session(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1, client="a", numbers=(1, 2))
    bench.recorder.resume("b", "ann", session.id)
    bench.recorder.name_person("b", 1, "Ann")
    assert bench.store.names == {(session.id, "ann", 3): "Ann"}
    with pytest.raises(RecordingError, match="not kept"):
        bench.recorder.name_person("a", 1, "Bob")


def test_mark_without_a_time_is_now(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.now_s += 12.5
    assert bench.recorder.mark("a", None, "x") == Marker(session.id, 12.5, "x")
    assert bench.recorder.mark("a", 3.0, "x").at_s == 3.0
    with pytest.raises(RecordingError, match="Nothing is being recorded"):
        bench.recorder.mark("b", None, "x")


def test_locked_database_loses_nothing_and_is_told_once(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.store.error = DatabaseLockedError("locked")
    bench.film(10)
    bench.store.error = None
    bench.film(3)
    stored = [each.at_s for each in bench.store.stored[session.id]]
    assert len(stored) == pytest.approx(14 * 5, abs=4)
    assert stored == sorted(set(stored))
    told = codes(bench.notices())
    assert told.count("database_locked") == 1
    assert told[-1] == "saved"


def test_database_is_left_alone_for_a_while_after_an_error(bench):
    bench.recorder.start("a", "ann", "")
    bench.store.error = DatabaseFullError("full")
    bench.film(10)
    assert bench.store.calls <= 10 / RETRY_S


def test_all_clients_hear_of_a_full_database(bench):
    for client in ("a", "b"):
        bench.recorder.start(client, "ann", "")
    bench.store.error = DatabaseFullError("full")
    for _ in range(20):
        bench.film(0.1, "a")
        bench.film(0.1, "b")
    problems = [(notice.client, notice.data["code"]) for notice in bench.notices()]
    assert sorted(problems) == [("a", "database_full"), ("b", "database_full")]


def test_database_that_stays_full_keeps_memory_bounded_and_tells_of_the_gap(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.store.error = DatabaseFullError("full")
    bench.film(70, numbers=range(10))
    assert codes(bench.notices()) == ["database_full", "recording_gap"]
    bench.store.error = None
    bench.wait(2)
    bench.wait(2)
    stored = [each.at_s for each in bench.store.stored[session.id]]
    assert len(stored) == MAX_WAITING
    assert stored[-1] == pytest.approx(60, abs=1)


def test_finish_while_the_database_is_locked_is_made_up_for(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(0.4)
    bench.store.error = DatabaseLockedError("locked")
    bench.recorder.finish("a")
    bench.recorder.store_due()
    assert not bench.recorder.wait_for_end(session.id, 0)
    bench.store.error = None
    bench.wait(RETRY_S)
    assert list(bench.store.finished) == [session.id]
    assert len(bench.store.stored[session.id]) == 2


def test_session_deleted_while_recording_stops_and_says_so(bench):
    bench.recorder.start("a", "ann", "")
    bench.store.error = NotFoundError("gone")
    bench.film(3)
    assert codes(bench.notices()) == ["recording_stopped"]
    assert bench.store.calls == 1
    assert bench.recorder.finish("a") is None


def test_bug_in_the_store_leaves_out_one_batch_and_goes_on(bench, caplog):
    session = bench.recorder.start("a", "ann", "")
    bench.store.error = RuntimeError("a bug with secrets")
    with caplog.at_level(logging.ERROR):
        bench.film(0.8)
    bench.store.error = None
    bench.film(2)
    assert len(bench.store.stored[session.id]) >= 9
    notices = bench.notices()
    assert codes(notices)[0] == "internal"
    assert "secrets" not in notices[0].data["message"]
    assert "a bug with secrets" in caplog.text


def test_stop_stores_and_finishes_everything(bench):
    session = bench.recorder.start("a", "ann", "")
    bench.film(0.3)
    bench.recorder.open()
    bench.recorder.stop()
    assert list(bench.store.finished) == [session.id]
    assert len(bench.store.stored[session.id]) == 2
    assert bench.notices()[0].event == "saved"
    with pytest.raises(ServerFullError):
        bench.recorder.start("a", "ann", "")


def test_notices_that_nobody_fetches_are_bounded_and_the_newest_stay(bench, monkeypatch):
    monkeypatch.setattr("fer_web.history.write_batches.MAX_NOTICES", 3)
    small = Bench()
    small.recorder.start("a", "ann", "")
    small.film(10)
    notices = small.notices()
    assert len(notices) == 2
    (stored,) = small.store.stored.values()
    assert notices[-1].data["samples"] == len(stored)


VISITOR = Sender("bob", "192.0.2.1", is_guest=True, is_local=False)


def test_sessions_without_a_sample_leave_nothing_and_take_no_place_when_they_end(bench):
    for _ in range(64):
        session = bench.recorder.start("a", "ann", "")
        bench.film(0, client="a")
        bench.recorder.finish("a")
        bench.recorder.store_due()
        assert bench.recorder.wait_for_end(session.id, 0)
    bench.recorder.start("gone", "ann", "")
    bench.recorder.detach("gone")
    bench.wait(GRACE_S)
    assert (bench.store.stored, bench.store.finished, bench.recorder.count) == ({}, {}, 0)
    assert bench.notices() == []


@pytest.mark.parametrize("by", ["marker", "moment", "name"])
def test_a_session_is_there_with_its_first_marker_or_name(bench, by):
    session = bench.recorder.start("a", "ann", "A film")
    if by == "marker":
        bench.recorder.mark("a", 1.0, "laughs")
    elif by == "moment":
        bench.recorder.mark_moment(bench.recorder.moment("a"), "laughs")
    else:
        bench.recorder.name_person("a", 1, "Ann")
    assert bench.store.stored == {session.id: []}
    bench.film(1)
    bench.recorder.finish("a")
    bench.recorder.store_due()
    assert list(bench.store.finished) == [session.id]
    assert len(bench.store.stored[session.id]) >= 4


@pytest.mark.parametrize(("at_s", "text"), [(-1.0, "x"), (1e12, "x"), (0.0, "a" * 501)])
def test_a_marker_that_cannot_be_stores_no_session(bench, at_s, text):
    bench.recorder.start("a", "ann", "")
    with pytest.raises(InvalidValueError):
        bench.recorder.mark("a", at_s, text)
    assert bench.store.stored == {}


def test_a_session_that_cannot_be_stored_yet_keeps_its_samples(bench):
    bench.store.opening_error = DatabaseLockedError("locked")
    session = bench.recorder.start("a", "ann", "")
    bench.film(1)
    bench.store.opening_error = None
    bench.film(2)
    assert len(bench.store.stored[session.id]) >= 12
    assert min(sample.at_s for sample in bench.store.stored[session.id]) < 0.3
    assert codes(bench.notices())[:2] == ["database_locked", "saved"]


def test_a_visitor_who_has_enough_cannot_record_and_the_host_can(bench):
    bench.store.use = Use(MAX_SESSIONS_OF_VISITOR, 0)
    with pytest.raises(HistoryFullError, match=f"{MAX_SESSIONS_OF_VISITOR} are allowed. Delete"):
        bench.recorder.start("a", "bob", "", VISITOR)
    bench.recorder.start("b", "ann", "")
    bench.film(1, client="b")
    assert len(bench.store.stored) == 1


def test_a_visitors_session_that_reaches_the_quota_ends_and_says_so(bench):
    session = bench.recorder.start("a", "bob", "", VISITOR)
    bench.film(1)
    bench.store.use = Use(1, MAX_SAMPLES_OF_VISITOR)
    bench.film(2)
    assert list(bench.store.finished) == [session.id]
    assert bench.recorder.count == 0
    notices = bench.notices()
    assert codes(notices)[-1] == "history_full"
    assert not notices[-1].data["retryable"]

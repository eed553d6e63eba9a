"""Sessions of a server that is gone, while others live: each kind of database in turn."""

import datetime
import time

import pytest
from sqlalchemy import select, update

from fer_web.errors import RecordingStoppedError
from fer_web.history.leases import LEASE_S, LET_GO_S
from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import TAKE_OVER_S, HistoryRepository
from fer_web.history.retention import oldest_kept
from fer_web.storage.database import writing
from fer_web.storage.migrate import migrate
from fer_web.storage.schema import sessions
from tests.support.new_sessions import START, new_session, sample
from tests.support.old_tables import old_database

DAY = datetime.timedelta(days=1)


@pytest.fixture
def session(repository):
    return repository.open_session(new_session(started_at=datetime.datetime.now(datetime.UTC)))


def set_columns(repository, session, **columns):
    with writing(repository.engine) as connection:
        connection.execute(update(sessions).where(sessions.c.id == session.id).values(columns))


def column(repository, session, name):
    with repository.engine.connect() as connection:
        return connection.execute(select(sessions.c[name]).where(sessions.c.id == session.id)).scalar()


def ms_from_now(seconds):
    return round((time.time() + seconds) * 1000)


@pytest.mark.parametrize("ends_in_s", [None, -1, 20 * LEASE_S])
def test_session_that_no_server_vouches_for_is_closed_with_its_last_sample(repository, session, ends_in_s):
    repository.add_batch(session.id, [sample(2.0)])
    set_columns(repository, session, lease_ms=None if ends_in_s is None else ms_from_now(ends_in_s))
    assert repository.renew_leases([]) == 1
    closed = repository.get_session(session.id, "ann")
    assert (closed.state, closed.length_s) == ("interrupted", 2.0)
    assert any(part is not None for part in closed.strip)


def test_session_of_another_server_that_lives_stays(repository, session):
    other = HistoryRepository(repository.engine)
    assert other.renew_leases([]) == 0
    set_columns(repository, session, lease_ms=ms_from_now(-1))
    assert repository.renew_leases([session.id]) == 0
    assert other.renew_leases([]) == 0
    assert other.get_session(session.id, "ann").state == "running"


def test_server_that_stood_still_takes_its_session_back(repository, session):
    set_columns(repository, session, lease_ms=ms_from_now(-1))
    assert HistoryRepository(repository.engine).renew_leases([]) == 1
    repository.renew_leases([session.id])
    assert repository.get_session(session.id, "ann").state == "running"


def test_renewal_opens_no_session_that_was_finished_or_deleted_meanwhile(repository, session):
    deleted = repository.open_session(new_session())
    repository.finish_session(session.id, 1.0)
    repository.delete_session(deleted.id, "ann")
    repository.renew_leases([session.id, deleted.id])
    assert repository.get_session(session.id, "ann").state == "finished"
    assert repository.restore_session(deleted.id, "ann").state == "finished"


@pytest.mark.parametrize("verb", ["open", "add_batch", "reopen"])
def test_whatever_lets_a_session_run_gives_it_a_lease(repository, session, verb):
    if verb != "open":
        set_columns(repository, session, lease_ms=None)
    if verb == "add_batch":
        repository.add_batch(session.id, [sample(0.0)])
    if verb == "reopen":
        repository.reopen_session(session.id, "ann")
    # PostgreSQL has a clock of its own.
    assert ms_from_now(LEASE_S - 30) < column(repository, session, "lease_ms") < ms_from_now(LEASE_S + 30)


def test_import_that_is_under_way_is_left_alone(repository, session):
    set_columns(repository, session, lease_ms=None, deleted_ms=ms_from_now(0))
    assert repository.renew_leases([]) == 0
    assert column(repository, session, "state") == "running"


def test_recorder_vouches_for_what_it_records_until_that_ends(repository):
    recorder = Recorder(repository, RecordingModel("m", "h", 5.0, {}), 4)
    session = recorder.start("client", "ann", "")
    recorder.mark("client", None, "now it has a row")
    for lease_ms, state in ((ms_from_now(-1), "running"), (ms_from_now(-1), "interrupted")):
        set_columns(repository, session, lease_ms=lease_ms)
        recorder.renew_leases()
        assert repository.get_session(session.id, "ann").state == state
        recorder.finish("client")


def test_session_left_behind_months_ago_goes_by_retention_while_another_server_lives(repository):
    old = repository.open_session(new_session(started_at=datetime.datetime.now(datetime.UTC) - 90 * DAY))
    repository.add_batch(old.id, [sample(10.0)])
    set_columns(repository, old, lease_ms=ms_from_now(-89 * 86400))
    limit = oldest_kept(1, datetime.datetime.now(datetime.UTC))
    assert repository.purge(limit) == 0, "it may still run"
    repository.renew_leases([])
    assert repository.purge(limit) == 1


def test_age_counts_from_the_last_sample_and_of_an_import_from_its_import(repository):
    long = repository.open_session(new_session(started_at=START))
    repository.add_batch(long.id, [sample(3 * 86400.0)])
    repository.finish_session(long.id, 3 * 86400.0)
    assert repository.purge(START + 3 * DAY) == 0
    assert repository.purge(START + 3 * DAY + datetime.timedelta(seconds=1)) == 1


def test_columns_of_older_tables_are_filled_where_recordings_are(database):
    started_ms = 1_700_000_000_000
    engine = old_database(
        *database, "0004", [{}, {"kept_from_ms": started_ms + 99}, {"source": "video"}, {"state": "running"}]
    )
    migrate(engine)
    with engine.connect() as connection:
        rows = connection.execute(select(sessions.c.kept_from_ms).order_by(sessions.c.id)).scalars().all()
    assert rows == [started_ms + 5000, started_ms + 99, started_ms, started_ms + 5000]
    assert HistoryRepository(engine).renew_leases([]) == 1, "of a server that is gone"
    engine.dispose()


@pytest.fixture
def other(repository):
    """Another server on the same database."""
    return HistoryRepository(repository.engine)


def test_a_session_that_moved_is_written_and_ended_by_its_new_server_alone(repository, session, other):
    repository.add_batch(session.id, [sample(1.0, face=4)])
    start_s = time.monotonic()
    moved, last_face = other.reopen_session(session.id, "ann")
    assert time.monotonic() - start_s >= TAKE_OVER_S, "the first one could still let go"
    assert (moved.id, moved.state, last_face) == (session.id, "running", 4)
    for verb in (
        lambda: repository.add_batch(session.id, [sample(2.0)]),
        lambda: repository.finish_session(session.id, 2.0),
        lambda: repository.set_settings(session.id, {"late": True}),
        lambda: repository.let_go(session.id, 2.0),
    ):
        with pytest.raises(RecordingStoppedError, match="another connection"):
            verb()
    repository.renew_leases([session.id])
    assert other.add_batch(session.id, [sample(3.0)]) == 2
    found = other.finish_session(session.id, 4.0)
    assert (found.state, found.length_s, "late" in found.settings) == ("finished", 4.0, False)
    repository.renew_leases([session.id])
    with pytest.raises(RecordingStoppedError):
        repository.add_batch(session.id, [sample(5.0)])
    assert repository.get_session(session.id, "ann").state == "finished"


def test_a_session_that_was_let_go_of_goes_on_elsewhere_at_once(repository, session, other):
    repository.add_batch(session.id, [sample(1.0)])
    repository.let_go(session.id, 1.5)
    assert ms_from_now(LET_GO_S - 30) < column(repository, session, "lease_ms") < ms_from_now(LET_GO_S + 30)
    start_s = time.monotonic()
    moved, _ = other.reopen_session(session.id, "ann")
    assert time.monotonic() - start_s < TAKE_OVER_S
    assert (moved.state, moved.length_s) == ("running", 1.5)
    assert repository.reopen_session(session.id, "ann")[0].state == "running", "and back"


def test_a_session_that_was_let_go_of_and_nobody_took_is_finished(repository, session, other):
    repository.add_batch(session.id, [sample(1.0)])
    repository.let_go(session.id, 1.5)
    assert other.renew_leases([]) == 0
    set_columns(repository, session, lease_ms=ms_from_now(-1))
    assert other.renew_leases([]) == 1
    closed = other.get_session(session.id, "ann")
    assert (closed.state, closed.length_s) == ("finished", 1.5)


def test_a_session_whose_server_is_gone_is_taken_over_without_waiting_for_its_lease(
    repository, session, other
):
    set_columns(repository, session, lease_ms=ms_from_now(-1))
    start_s = time.monotonic()
    assert other.reopen_session(session.id, "ann")[0].state == "running"
    assert time.monotonic() - start_s < TAKE_OVER_S


def test_sessions_that_run_when_the_tables_change_are_of_a_server_that_is_gone(database):
    engine = old_database(*database, "0006", [{"state": "running"}, {}])
    migrate(engine)
    history = HistoryRepository(engine)
    assert history.renew_leases([]) == 1
    assert history.get_session("session0", "ann").state == "interrupted"
    engine.dispose()

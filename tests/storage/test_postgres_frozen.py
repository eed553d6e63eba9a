"""PostgreSQL that stands still: its system answers, it does not."""

import itertools
import queue
import threading
import time

import pytest
from sqlalchemy import text

from fer_web.errors import DatabaseError
from fer_web.history import recorder as recorder_module
from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import open_history
from fer_web.inference.results import FrameResult
from fer_web.storage import database
from fer_web.storage.database import allow_slow_statements, reading, writing
from tests.support.face_results import face
from tests.support.new_sessions import new_session, sample


@pytest.fixture
def history(postgres, tmp_path):
    opened = open_history(postgres.new_database(), tmp_path)
    yield opened
    opened.close()


def test_questions_to_a_frozen_server_end_and_are_answered_when_it_goes_on(postgres, history, monkeypatch):
    session = history.open_session(new_session())
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_S", 0.5)
    with postgres.frozen():
        for verb in (
            lambda: history.get_session(session.id, None),
            lambda: history.add_batch(session.id, [sample(0.0)]),
        ):
            with pytest.raises(DatabaseError) as failure:
                verb()
            assert failure.value.to_wire()["retryable"]
    assert history.add_batch(session.id, [sample(0.0)]) == 1


def test_who_records_hears_of_a_frozen_server_and_loses_nothing(postgres, history, monkeypatch):
    # A second: by then the writer has waited for one answer, which it gets in the end.
    monkeypatch.setattr(recorder_module, "LATE_S", 1.0)
    recorder = Recorder(history, RecordingModel("m", "h", 10.0, {}), 4)
    recorder.open()
    session, heard, must_end = recorder.start("client", "ann", ""), queue.Queue(), threading.Event()
    threading.Thread(
        target=lambda: [heard.put(each) for each in iter(recorder.next_notice, None)], daemon=True
    ).start()

    def film():
        while not must_end.wait(0.05):
            recorder.sample("client", time.monotonic(), FrameResult((face(1),), {}))
            recorder.tell_late()

    camera = threading.Thread(target=film)
    camera.start()
    assert heard.get(timeout=60).event == "saved"
    with postgres.frozen():
        notices = iter(lambda: heard.get(timeout=60), None)
        problem = next(each for each in notices if each.event == "recording_problem")
        assert problem.data["code"] == "database_unavailable"
        assert "stored when it does" in problem.data["message"]
        time.sleep(1)
        assert heard.empty(), "it is told once"
    assert heard.get(timeout=60).event == "saved"
    must_end.set()
    camera.join(60)
    recorder.finish("client")
    assert recorder.wait_for_end(session.id, 60)
    recorder.stop()
    times = history.read_samples(session.id, "ann").at_s
    assert times[-1] > 2
    # Of a camera's pace: a sample that is missing leaves a hole of the time that the server stood still.
    assert max(b - a for a, b in itertools.pairwise(times)) < 1.0


def test_statement_that_takes_too_long_ends_and_a_migration_may_take_longer(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_S", 0.2)
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_S", 60)
    history = open_history(postgres.new_database(), tmp_path)
    with pytest.raises(DatabaseError, match="took too long"), reading(history.engine) as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    monkeypatch.setattr(database, "ANSWER_TIMEOUT_S", 0.2)
    with writing(history.engine) as connection:
        allow_slow_statements(connection)
        connection.execute(text("SELECT pg_sleep(0.5)"))
    with pytest.raises(DatabaseError), reading(history.engine) as connection:
        connection.execute(text("SELECT pg_sleep(30)"))
    history.close()


def test_connections_have_every_timeout(history):
    with history.engine.connect() as connection:
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        shown = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in names}
        parameters = connection.connection.driver_connection.info.get_parameters()
    assert shown == {
        "lock_timeout": "3s",
        "statement_timeout": "15s",
        "idle_in_transaction_session_timeout": "1min",
    }
    wanted = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    assert [parameters[name] for name in wanted] == ["10", "5", "3", "15000"]

"""A real recorder on a real database that another program holds, that is full, or that goes away."""

import itertools
import json
import queue
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from fer_web.errors import DatabaseError, DatabaseFullError, DatabaseLockedError
from fer_web.history.recorder import Recorder, RecordingModel
from fer_web.history.repository import open_history
from fer_web.inference.results import FrameResult
from fer_web.storage import database as database_module
from fer_web.storage.database import SQLITE_FILE
from tests.support.face_results import face
from tests.support.new_sessions import new_session, sample
from tests.support.servers import ROOT

HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


class OtherProgram:
    """Another process that holds the database locked."""

    def __init__(self, path):
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD_LOCK, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout.readline() == b"locked\n"

    def let_go(self):
        self._process.communicate(timeout=300)


class Camera(threading.Thread):
    """Twenty results a second, each with one face, until it is stopped."""

    def __init__(self, recorder):
        super().__init__()
        self._recorder = recorder
        self._has_stopped = threading.Event()
        self.sent_s = []

    def run(self):
        while not self._has_stopped.wait(0.05):
            captured_s = time.monotonic()
            self.sent_s.append(captured_s)
            self._recorder.sample("client", captured_s, FrameResult((face(1),), {}))

    def stop(self):
        self._has_stopped.set()
        self.join(60)


@pytest.fixture
def history(tmp_path):
    opened = open_history("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def recorder(history):
    opened = Recorder(history, RecordingModel("m", "h", 10.0, {}), 4)
    opened.open()
    yield opened
    opened.stop()


@pytest.fixture
def camera(recorder):
    running = Camera(recorder)
    yield running
    running.stop()


def notices_of(recorder):
    """A queue that fills with what the client is told."""
    heard = queue.Queue()
    threading.Thread(
        target=lambda: [heard.put(notice) for notice in iter(recorder.next_notice, None)], daemon=True
    ).start()
    return heard


def wait_for(heard, wanted, timeout_s=60):
    """Codes, or events where there is none, up to the first that is wanted."""
    seen = []
    while not seen or seen[-1] != wanted:
        notice = heard.get(timeout=timeout_s)
        seen.append(notice.data.get("code", notice.event))
    return seen


def wait_until(holds, timeout_s=60):
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def assert_no_gap(times, camera):
    """No longer one than the camera's own, and the tenth of a second in which one sample is taken."""
    longest_s = max(b - a for a, b in itertools.pairwise(camera.sent_s))
    assert max(b - a for a, b in itertools.pairwise(times)) < longest_s + 0.15


def test_database_locked_by_another_process_for_ten_seconds_loses_nothing(
    history, recorder, camera, tmp_path
):
    session = recorder.start("client", "ann", "")
    heard = notices_of(recorder)
    camera.start()
    wait_for(heard, "saved")
    other = OtherProgram(tmp_path / SQLITE_FILE)
    locked_s = time.monotonic()
    wait_for(heard, "database_locked")
    while time.monotonic() < locked_s + 10:
        assert heard.empty(), "nothing can be saved, and the problem was told already"
        time.sleep(0.1)
    assert camera.sent_s[-1] > locked_s + 5, "the live view goes on"
    other.let_go()
    wait_for(heard, "saved")
    camera.stop()
    recorder.finish("client")
    assert recorder.wait_for_end(session.id, 60)
    stored = history.get_session(session.id, "ann")
    times = history.read_samples(session.id, "ann").at_s
    assert stored.state == "finished"
    assert times[-1] > 10
    assert_no_gap(times, camera)


def test_verb_on_a_locked_database_says_so_and_can_be_tried_again(tmp_path, history, monkeypatch):
    session = history.open_session(new_session())
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_S", 0.2)
    impatient = open_history("", tmp_path)
    other = OtherProgram(tmp_path / SQLITE_FILE)
    with pytest.raises(DatabaseLockedError) as error:
        impatient.add_marker(session.id, "ann", 0.0, "x")
    assert error.value.to_wire()["retryable"] is True
    other.let_go()
    impatient.add_marker(session.id, "ann", 0.0, "x")
    impatient.close()


def limit_pages(history, extra):
    """Let the database grow by so many pages of 4 KiB: a full disk, as SQLite sees it."""
    connections = [history._engine.connect() for _ in range(4)]
    for connection in connections:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + extra}")
    for connection in connections:
        connection.close()


def test_full_disk_is_told_keeps_what_is_stored_and_goes_on_when_there_is_space(
    history, recorder, camera, tmp_path
):
    session = recorder.start("client", "ann", "")
    heard = notices_of(recorder)
    limit_pages(history, 2)
    camera.start()
    seen = wait_for(heard, "database_full")
    assert set(seen[:-1]) <= {"saved"}
    with sqlite3.connect(tmp_path / SQLITE_FILE) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        before = other.execute("SELECT count(*) FROM samples").fetchone()[0]
    other.close()
    sent = len(camera.sent_s)
    wait_until(lambda: len(camera.sent_s) > sent + 10)  # the live view goes on
    limit_pages(history, 10_000)
    wait_for(heard, "saved")
    camera.stop()
    recorder.finish("client")
    assert recorder.wait_for_end(session.id, 60)
    times = history.read_samples(session.id, "ann").at_s
    assert len(times) > before
    assert_no_gap(times, camera)


FILL = """
import json, resource, signal, sys
from pathlib import Path
from fer_web.errors import DatabaseError
from fer_web.history.repository import open_history
from tests.support.new_sessions import new_session, sample
history = open_history("", Path(sys.argv[1]))
session = history.open_session(new_session())
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
total, code = 0, None
try:
    for batch in range(2000):
        total = history.add_batch(session.id, [sample(batch + i / 100) for i in range(50)])
except DatabaseError as exc:
    code = exc.code
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
after = history.add_batch(session.id, [sample(1_000_000)])
print(json.dumps({"total": total, "code": code, "after": after}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of a file")
def test_write_that_the_system_refuses_loses_nothing_that_was_stored(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FILL, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT
    )
    outcome = json.loads(run.stdout)
    assert outcome["code"] in (DatabaseFullError.code, DatabaseError.code)
    assert outcome["total"] > 0
    assert outcome["after"] == outcome["total"] + 1


def test_postgres_connection_that_breaks_is_opened_again(postgres, tmp_path):
    history = open_history(postgres.new_database(), tmp_path)
    session = history.open_session(new_session())
    postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname LIKE 'test%'"
    )
    assert history.add_batch(session.id, [sample(0.0)]) == 1
    history.close()


def test_postgres_lock_of_another_program_is_told(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_S", 0.2)
    history = open_history(postgres.new_database(), tmp_path)
    session = history.open_session(new_session())
    with history._engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE samples IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseLockedError):
            history.add_batch(session.id, [sample(0.0)])
    assert history.add_batch(session.id, [sample(0.0)]) == 1
    history.close()


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nowhere.invalid"])
def test_postgres_that_is_away_is_told_to_who_starts_the_server_and_to_nobody_else(tmp_path, host):
    with pytest.raises(DatabaseError) as failure:
        open_history(f"postgresql://ann:a-password@{host}/history", tmp_path)
    told = str(failure.value)
    assert host.split(":")[0] in told
    assert "FER_DATABASE_URL" in told
    assert "a-password" not in told
    assert failure.value.to_wire() == {
        "code": "database_unavailable",
        "message": "The history's database cannot be used now.",
        "retryable": True,
    }

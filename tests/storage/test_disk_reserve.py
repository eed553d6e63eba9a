"""A disk that fills up: recording pauses in time, and deleting works on a disk without a free byte."""

import json
import os
import subprocess
import sys

import pytest

from fer_web.errors import DatabaseFullError, NotFoundError
from fer_web.history import removal
from fer_web.history.repository import HistoryRepository, open_history
from fer_web.storage import disk_reserve
from fer_web.storage.disk_reserve import BALLAST_FILE, RESERVE_BYTES, DiskReserve
from tests.support.new_sessions import new_session, sample
from tests.support.sample_tables import chunks, random_table
from tests.support.servers import ROOT
from tests.support.sessions import session_with


@pytest.fixture
def history(tmp_path):
    opened = open_history("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def nearly_full(history):
    """Sets how many bytes are free."""

    def leave(free):
        history._reserve = DiskReserve(history.engine, lambda _folder: free)

    return leave


def test_nothing_new_is_stored_in_the_reserve_and_people_may_delete(history, nearly_full):
    session = history.open_session(new_session())
    nearly_full(RESERVE_BYTES - 1)
    for verb in (
        lambda: history.add_batch(session.id, [sample(0.0)]),
        lambda: history.open_session(new_session()),
        lambda: history.import_session(session_with(), "ann", chunks(random_table(5, 1))),
    ):
        with pytest.raises(DatabaseFullError, match="kept for deleting"):
            verb()
    assert history.get_session(session.id, "ann").samples == 0
    history.finish_session(session.id, 1.0)
    history.delete_session(session.id, "ann")
    nearly_full(RESERVE_BYTES)
    history.open_session(new_session())


def test_room_in_the_database_itself_is_recorded_to(history, nearly_full, monkeypatch):
    monkeypatch.setattr(disk_reserve, "_LOG_BYTES", 300_000)
    history.import_session(session_with(), "ann", chunks(random_table(100, 10)))
    session = history.open_session(new_session(owner="bob"))
    nearly_full(RESERVE_BYTES // 2)
    with pytest.raises(DatabaseFullError):
        history.add_batch(session.id, [sample(0.0)])
    history.delete_all("ann")
    assert history.add_batch(session.id, [sample(0.0)]) == 1


def test_removal_that_was_cut_short_stays_hidden_and_is_ended_later(history, monkeypatch):
    monkeypatch.setattr(removal, "SAMPLES_AT_ONCE", 10)
    session = history.import_session(session_with(), "ann", chunks(random_table(10, 2)))
    calls = []

    def persist(transaction):
        calls.append(1)
        if len(calls) == 3:
            raise DatabaseFullError("full")
        return transaction()

    monkeypatch.setattr(history._reserve, "persist", persist)
    with pytest.raises(DatabaseFullError):
        history.delete_all("ann")
    for verb in (history.get_session, history.restore_session):
        with pytest.raises(NotFoundError):
            verb(session.id, None)
    assert HistoryRepository(history.engine).purge() == 1


def test_ballast_is_made_once_where_there_is_room(history, tmp_path, nearly_full):
    nearly_full(RESERVE_BYTES)
    history.purge()
    assert not (tmp_path / BALLAST_FILE).exists()
    nearly_full(10 * RESERVE_BYTES)
    history.purge()
    made = (tmp_path / BALLAST_FILE).stat()
    assert made.st_blocks * 512 >= made.st_size > 0 if hasattr(made, "st_blocks") else made.st_size > 0
    history.purge()
    assert (tmp_path / BALLAST_FILE).stat().st_mtime_ns == made.st_mtime_ns


FULL = """
import json, os, sys
from pathlib import Path
from fer_web.errors import DatabaseError
from fer_web.history import removal
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from fer_web.storage import disk_reserve
from tests.support.new_sessions import new_session, sample
from tests.support.sample_tables import chunks, random_table
from tests.support.sessions import session_with

disk_reserve.RESERVE_BYTES, disk_reserve.BALLAST_BYTES = 8_000_000, 2_000_000
disk_reserve._LOG_BYTES, disk_reserve._CHECK_S, removal.SAMPLES_AT_ONCE = 1_000_000, 0, 5000
folder = Path(sys.argv[1])
filler = (folder / "of-others").open("wb", buffering=0)

def fill(left):
    try:
        while (free := os.statvfs(folder).f_bavail * 4096) > left:
            filler.write(bytes(min(free - left, 1 << 20) or 4096))
    except OSError:
        pass

def outcome(verb):
    try:
        return verb()
    except DatabaseError as exc:
        return exc.code

history = open_history("", folder)
first = history.import_session(session_with(), "ann", chunks(random_table(400, 10)))
second = history.import_session(session_with(), "bob", chunks(random_table(40, 10)))
running = history.open_session(new_session())
history.purge()
said = {"ballast": (folder / disk_reserve.BALLAST_FILE).exists()}
fill(4_000_000)
said["recorded in the reserve"] = outcome(lambda: history.add_batch(running.id, [sample(0.0)]))
fill(0)
said["free"] = os.statvfs(folder).f_bavail
said["deleted"] = outcome(lambda: history.delete_session(second.id, "bob"))
said["removed"] = outcome(lambda: history.delete_all("ann"))
said["ballast is given up"] = not (folder / disk_reserve.BALLAST_FILE).exists()
said["left"] = [each.state for each in history.list_sessions(SessionFilter(), None).sessions]
filler.close()
(folder / "of-others").unlink()
session = history.open_session(new_session())
said["recorded again"] = outcome(lambda: history.add_batch(session.id, [sample(0.0)]))
history.purge()
said["ballast again"] = (folder / disk_reserve.BALLAST_FILE).exists()
history.close()
print(json.dumps(said))
"""


def small_disk_command():
    """A command that runs the rest with a disk of 24 MB at its first argument."""
    script = 'mount -t tmpfs -o size=24m fer-test "$0" && exec "$@"'
    options = (
        ["--mount"] if getattr(os, "geteuid", lambda: 1)() == 0 else ["--user", "--map-root-user", "--mount"]
    )
    return ["unshare", *options, "sh", "-c", script]


def has_small_disks(folder):
    try:
        run = subprocess.run([*small_disk_command(), folder, "true"], capture_output=True, check=False)
    except OSError:
        return False
    return run.returncode == 0


def test_disk_without_a_free_byte_is_relieved_by_deleting(tmp_path):
    if not has_small_disks(tmp_path):
        pytest.skip("only Linux mounts a small disk for one process, and only where that is allowed")
    run = subprocess.run(
        [*small_disk_command(), tmp_path, sys.executable, "-c", FULL, tmp_path],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "ballast": True,
        "recorded in the reserve": "database_full",
        "free": 0,
        "deleted": None,
        "removed": 2,
        "ballast is given up": True,
        "left": [],
        "recorded again": 1,
        "ballast again": True,
    }

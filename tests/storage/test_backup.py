"""Backups of a history that is in use, put back, damaged, of other programs; on both kinds of database."""

import os
import sqlite3
import sys
import threading
import time

import pytest

from fer_web.commands.main import main
from fer_web.errors import DatabaseFullError
from fer_web.history.export import json_file
from fer_web.history.json_reader import MAX_IMPORT_BYTES, MAX_IMPORT_SAMPLES
from fer_web.history.repository import open_history
from fer_web.history.types import SessionFilter
from fer_web.storage import backup as backup_module
from fer_web.storage.backup import COPIES_FOLDER, COPY_KEPT_S, MAX_COPIES, backup, copy_before
from fer_web.storage.database import SQLITE_FILE
from fer_web.storage.migrate import LATEST
from tests.support.new_sessions import new_session, sample
from tests.support.old_tables import old_database
from tests.support.sample_tables import chunks, random_table
from tests.support.sessions import session_with


@pytest.fixture
def run(database, tmp_path, capsys, monkeypatch):
    """Runs a command on the database of the test; returns exit status, output and errors."""
    monkeypatch.chdir(tmp_path)
    url, folder = database

    def call(*arguments):
        status = main(["history", *arguments], {"FER_DATA_DIR": str(folder), "FER_DATABASE_URL": url})
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def names(database):
    history = open_history(*database)
    found = {session.name for session in history.list_sessions(SessionFilter(), None).sessions}
    history.close()
    return found


def test_backup_of_a_history_in_use_brings_everything_back(run, database, tmp_path):
    history = open_history(*database)
    session = history.import_session(session_with(name="kept"), "ann", chunks(random_table(30, 3)))
    before = b"".join(json_file(session, history.iter_samples(session.id, None)))
    must_end = threading.Event()

    def record():
        running, at_s = history.open_session(new_session("runs")), 0
        while not must_end.wait(0.01):
            at_s += 1
            history.add_batch(running.id, [sample(at_s)])

    recording = threading.Thread(target=record)
    recording.start()
    status, _, errors = run("backup", "--out", "copy")
    must_end.set()
    recording.join(60)
    assert status == 0, errors
    history.delete_all(None)
    history.close()
    status, output, errors = run("restore", "copy")
    assert status == 0, errors
    assert "Restored" in output
    history = open_history(*database)
    again = history.get_session(session.id, "ann")
    assert b"".join(json_file(again, history.iter_samples(session.id, None))) == before
    history.close()
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0 or sys.platform == "win32"


def test_restore_replaces_no_sessions_unasked(run, database):
    history = open_history(*database)
    history.open_session(new_session("old"))
    run("backup", "--out", "copy")
    history.open_session(new_session("new"))
    history.close()
    status, _, errors = run("restore", "copy")
    assert (status, "--replace" in errors) == (1, True)
    assert names(database) == {"old", "new"}
    assert run("restore", "copy", "--replace")[0] == 0
    assert names(database) == {"old"}


def test_restore_while_a_server_runs_is_refused(run, database):
    history = open_history(*database)
    run("backup", "--out", "copy")
    history.mark_interrupted()  # as a server does at its start
    status, _, errors = run("restore", "copy")
    assert (status, "Stop it" in errors) == (1, True)
    history.close()
    assert run("restore", "copy")[0] == 0


def test_backup_replaces_no_file_and_no_history_is_told(run, tmp_path, database):
    assert "no history yet" in run("backup")[2]
    open_history(*database).close()
    (tmp_path / "mine").write_text("mine")
    assert "exists" in run("backup", "--out", "mine")[2]
    assert (tmp_path / "mine").read_text() == "mine"
    assert [path.name for path in tmp_path.glob(".backup-*")] == []


def test_password_of_postgres_is_in_no_message(postgres, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(backup_module.shutil, "which", lambda _name: None)
    environment = {"FER_DATA_DIR": str(tmp_path), "FER_DATABASE_URL": postgres.new_database()}
    main(["history", "list"], environment)
    assert main(["history", "backup"], environment) == 1
    told = capsys.readouterr().err
    assert "pg_dump" in told
    assert "--dbname=postgresql://fer@127.0.0.1" in told
    assert "secret" not in told


@pytest.fixture
def sqlite(tmp_path):
    return "", tmp_path / "data"


def restored(sqlite, file):
    return main(["history", "restore", str(file), "--replace"], {"FER_DATA_DIR": str(sqlite[1])})


@pytest.mark.parametrize("kind", ["text", "empty", "missing", "foreign", "newer", "damaged"])
def test_file_that_is_no_backup_changes_nothing(sqlite, tmp_path, kind, capsys):
    history = open_history(*sqlite)
    history.open_session(new_session("mine"))
    file = tmp_path / "file"
    if kind in ("newer", "damaged"):
        history.import_session(session_with(), "ann", chunks(random_table(200, 3)))
        backup(history.engine, file)
    history.close()
    if kind == "text":
        file.write_text("no database at all " * 100)
    elif kind == "empty":
        file.write_text("")
    elif kind == "foreign":
        sqlite3.connect(file).execute("CREATE TABLE x (y)").connection.close()
    elif kind == "newer":
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
    elif kind == "damaged":
        with file.open("r+b") as opened:
            opened.seek(file.stat().st_size // 2)
            opened.write(b"\xff" * 8192)
    assert restored(sqlite, file) == 1
    assert "Traceback" not in (told := capsys.readouterr().err)
    assert told.startswith("fer-web: ")
    assert "mine" in names(sqlite)


def test_damaged_history_is_moved_away_and_replaced(sqlite, tmp_path):
    history = open_history(*sqlite)
    history.open_session(new_session("kept"))
    backup(history.engine, tmp_path / "copy")
    history.close()
    (sqlite[1] / SQLITE_FILE).write_bytes(b"broken " * 1000)
    assert restored(sqlite, tmp_path / "copy") == 0
    assert names(sqlite) == {"kept"}
    assert len(list((sqlite[1] / COPIES_FOLDER).glob("*damaged*"))) == 1


def version_four(sqlite):
    old_database(*sqlite, "0004", [{"name": "before"}]).dispose()


def test_tables_are_copied_before_they_change_and_the_copy_can_be_restored(sqlite, caplog):
    version_four(sqlite)
    open_history(*sqlite).close()
    (copy,) = (sqlite[1] / COPIES_FOLDER).glob("*version-0004*")
    assert str(copy) in caplog.text
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("0004",)
    connection.close()
    main(["history", "delete", "--all"], {"FER_DATA_DIR": str(sqlite[1])})
    assert not copy.exists(), "everything is everything"


def test_older_backup_is_brought_up_to_date(sqlite, tmp_path):
    version_four(sqlite)
    assert main(["history", "backup", "--out", str(tmp_path / "old")], {"FER_DATA_DIR": str(sqlite[1])}) == 0
    with sqlite3.connect(sqlite[1] / SQLITE_FILE) as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    assert version == ("0004",), "a backup changes no tables"
    assert restored(sqlite, tmp_path / "old") == 0
    history = open_history(*sqlite)
    assert history.list_sessions(SessionFilter(), None).total == 1
    with history.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == LATEST
    history.close()


def test_without_room_for_the_copy_nothing_changes(sqlite, monkeypatch):
    version_four(sqlite)
    usage = backup_module.shutil.disk_usage(sqlite[1])._replace(free=10_000)
    with monkeypatch.context() as patch:
        patch.setattr(backup_module.shutil, "disk_usage", lambda _path: usage)
        with pytest.raises(DatabaseFullError, match="Free some space"):
            open_history(*sqlite)
    assert names(sqlite) == {"before"}


def test_copies_are_few_and_go_after_a_week(sqlite):
    history = open_history(*sqlite)
    copies = [copy_before(history.engine, "test") for _ in range(MAX_COPIES + 2)]
    assert [path.exists() for path in copies] == [False] * 2 + [True] * MAX_COPIES
    old_s = time.time() - COPY_KEPT_S - 1
    os.utime(copies[-1], (old_s, old_s))
    history.purge()
    assert [path.exists() for path in copies[2:]] == [True] * (MAX_COPIES - 1) + [False]
    history.close()


def test_eight_hours_of_ten_faces_may_be_imported_as_we_export_them():
    table = random_table(200, 10)
    length = len(b"".join(json_file(session_with(), [table])))
    samples = 8 * 3600 * 5 * 10
    assert samples <= MAX_IMPORT_SAMPLES
    assert length / len(table) * samples <= MAX_IMPORT_BYTES

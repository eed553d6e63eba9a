import json
import re
import shutil
import socket
import sys
import threading
from collections import namedtuple

# Not by "import http.server": eventlet leaves its own one as that attribute of the package.
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import text

from fer_web.doctor.check import without_traceback
from fer_web.doctor.server_parts import (
    check_data_folder,
    check_database,
    check_disk,
    check_model,
    check_ports,
    check_secret,
    existing_parent,
)
from fer_web.history.repository import open_engine, open_history
from fer_web.secret_file import SECRET_FILE, load_secret
from fer_web.settings import Settings
from fer_web.storage.database import SQLITE_FILE, writing


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data", port=0)


def only(checks):
    (check,) = checks
    return check


def test_model_that_ships_is_whole_and_classifies():
    check = only(check_model(Settings()))
    assert (check.status, "shipped_3_self_taught" in check.message) == ("ok", True)


@pytest.mark.parametrize("name", ["model.tflite", "meta.json"])
def test_model_that_was_altered_is_a_problem(tmp_path, name):
    shutil.copytree(Settings().model, tmp_path / "model")
    with (tmp_path / "model" / name).open("ab") as file:
        file.write(b"x")
    check = only(without_traceback("model", lambda: check_model(Settings(model=tmp_path / "model"))))
    assert (check.status, name in check.message) == ("problem", True)
    assert "git checkout -- models" in check.message


def test_data_folder_there_and_not_yet_there(settings, tmp_path):
    check = only(check_data_folder(settings))
    assert (check.status, "will be made" in check.message) == ("ok", True)
    assert not settings.data_dir.exists()
    settings.data_dir.mkdir()
    assert "can be written to" in only(check_data_folder(settings)).message
    assert list(settings.data_dir.iterdir()) == []


def test_data_folder_that_cannot_be_used(settings, tmp_path, monkeypatch):
    settings.data_dir.write_text("a file")
    check = only(check_data_folder(settings))
    assert (check.status, "--data-dir" in check.mend) == ("problem", True)
    settings.data_dir.unlink()
    monkeypatch.setattr(
        "os.access", lambda *_arguments: False
    )  # root, as in a container, may write everywhere
    assert only(check_data_folder(settings)).status == "problem"
    settings.data_dir.mkdir()

    def refuse(**_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    check = only(check_data_folder(settings))
    assert (check.status, "Permission denied" in check.message) == ("problem", True)


def test_secret_none_good_and_broken(settings):
    assert "will be made" in only(check_secret(settings)).message
    load_secret(settings.data_dir)
    assert only(check_secret(settings)).status == "ok"
    (settings.data_dir / SECRET_FILE).write_text("not hexadecimal")
    check = only(without_traceback("secret", lambda: check_secret(settings)))
    assert (check.status, "holds no secret" in check.message) == ("problem", True)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_secret_that_others_can_read_is_a_problem_and_is_left_as_it_is(settings):
    load_secret(settings.data_dir)
    path = settings.data_dir / SECRET_FILE
    path.chmod(0o644)
    check = only(check_secret(settings))
    assert (check.status, check.mend) == ("problem", f"chmod 600 {path}")
    assert path.stat().st_mode & 0o777 == 0o644


def test_database_none_yet_and_up_to_date(settings):
    assert "will be made" in only(check_database(settings)).message
    assert not settings.data_dir.exists()
    open_history("", settings.data_dir).close()
    check = only(check_database(settings))
    assert (check.status, "up to date" in check.message) == ("ok", True)


def set_version(settings, version):
    open_history("", settings.data_dir).close()
    engine = open_engine("", settings.data_dir)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    engine.dispose()


def test_database_of_an_older_program_is_a_warning_and_is_not_changed(settings):
    set_version(settings, "0000")
    for _ in range(2):
        check = only(check_database(settings))
        assert (check.status, "0000" in check.message) == ("warning", True)
        assert "history list" in check.mend


def test_database_of_a_newer_program_is_a_problem(settings):
    set_version(settings, "9999")
    check = only(without_traceback("database", lambda: check_database(settings)))
    assert (check.status, "newer fer-web" in check.message) == ("problem", True)


def test_database_that_is_none_or_damaged_is_a_problem(settings):
    settings.data_dir.mkdir()
    path = settings.data_dir / SQLITE_FILE
    path.write_bytes(b"no database at all" * 1000)
    check = only(without_traceback("database", lambda: check_database(settings)))
    assert (check.status, "not a database" in check.message) == ("problem", True)
    path.unlink()
    open_history("", settings.data_dir).close()
    content = bytearray(path.read_bytes())
    content[2 * 4096 : 3 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    assert only(without_traceback("database", lambda: check_database(settings))).status == "problem"


def test_database_that_does_not_answer_is_a_problem():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = Settings(database_url=f"postgresql://u:secret-word@127.0.0.1:{port}/x")
    check = only(without_traceback("database", lambda: check_database(settings)))
    assert check.status == "problem"
    assert "secret-word" not in check.message


@pytest.mark.parametrize(("free", "status"), [(10**10, "ok"), (5 * 10**8, "warning"), (10**7, "problem")])
def test_disk(settings, monkeypatch, free, status):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10**12, 0, free))
    check = only(check_disk(settings))
    assert (check.status, bool(check.mend)) == (status, status != "ok")


def test_existing_parent_is_the_nearest_folder_there(tmp_path):
    assert existing_parent(tmp_path / "a" / "b") == tmp_path
    assert existing_parent(tmp_path) == tmp_path


def test_port_free_and_taken(settings):
    assert only(check_ports(settings)).status == "ok"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check = only(check_ports(Settings(port=port)))
    assert (check.status, str(port) in check.message) == ("problem", True)
    assert re.fullmatch(r"python app\.py --port \d+", check.mend)
    assert f"Port {check.mend.split()[-1]} is free" in check.message


def test_both_ports_are_looked_at_when_sharing():
    checks = list(check_ports(Settings(port=0, share="on", share_port=0)))
    assert [check.name for check in checks] == ["port", "share-port"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"status": "ok", "version": "1", "model": "x"}, "ok"), ({"hello": 1}, "problem"), ([], "problem")],
)
def test_a_port_that_fer_web_itself_holds_is_fine(answer, status):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            assert only(check_ports(Settings(port=server.server_port))).status == status
        finally:
            server.shutdown()
            thread.join()

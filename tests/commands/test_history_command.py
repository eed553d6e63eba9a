import datetime
import json
import os
import subprocess
import sys

import pytest

from fer_web.commands.history import NO_BROWSER
from fer_web.commands.main import build_parser, main
from fer_web.history.repository import open_history
from fer_web.history.types import NewSession
from fer_web.storage.database import SQLITE_FILE
from tests.support.documents import read
from tests.support.sample_tables import assert_equal_tables, chunks, random_table
from tests.support.servers import ROOT
from tests.support.sessions import session_with

COMMANDS = ("list", "export", "import", "delete", "purge")


@pytest.fixture
def store(tmp_path):
    opened = open_history("", tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def session(store):
    """A stored session of a browser."""
    return store.import_session(session_with(), "browser-1", chunks(random_table(10, 2)))


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Runs a command in a folder of its own; returns exit status, output and errors."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*arguments, **environment):
        status = main(["history", *arguments], {"FER_DATA_DIR": str(tmp_path / "data"), **environment})
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def in_process(tmp_path, *arguments, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FER_")}
    return subprocess.run(
        [sys.executable, "-m", "fer_web", *arguments],
        cwd=ROOT,
        env={**environment, "FER_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        timeout=300,
        **options,
    )


def test_list_shows_everybodys_sessions(run, session):
    status, out, err = run("list")
    assert (status, err) == (0, "")
    assert session.id in out
    assert "A film" in out
    assert "2026-03-04T05:06:07.890Z" in out


def test_list_as_json(run, session):
    (row,) = json.loads(run("list", "--json")[1])
    assert (row["id"], row["name"], row["samples"], row["tags"]) == (
        session.id,
        "A film",
        100,
        ["film", "evening"],
    )


def test_list_of_nothing(run):
    assert run("list")[:2] == (0, "No sessions.\n")
    assert json.loads(run("list", "--json")[1]) == []


def test_list_filters_and_goes_over_pages(run, store):
    for number in range(7):
        store.import_session(session_with(name=f"S{number}", tags=()), "b", [])
    assert len(json.loads(run("list", "--json", "--limit", "1000")[1])) == 7
    assert len(json.loads(run("list", "--json", "--limit", "3")[1])) == 3
    assert [row["name"] for row in json.loads(run("list", "--json", "--search", "s4")[1])] == ["S4"]
    assert json.loads(run("list", "--json", "--tag", "x")[1]) == []


def test_list_more_than_a_page(run, store, monkeypatch):
    monkeypatch.setattr("fer_web.commands.history._PAGE", 2)
    for number in range(5):
        store.import_session(session_with(name=f"S{number}"), "b", [])
    names = [row["name"] for row in json.loads(run("list", "--json", "--limit", "4")[1])]
    assert len(set(names)) == len(names) == 4


def test_export_writes_a_file_named_by_date_and_name(run, session, tmp_path):
    status, out, _ = run("export", session.id)
    path = tmp_path / "here" / "2026-03-04-050607-a-film.csv"
    assert status == 0
    assert path.name in out
    assert path.read_text().count("\n") == 101


def test_export_does_not_replace_a_file_unless_told(run, session, tmp_path):
    path = tmp_path / "here" / "x.csv"
    path.write_text("precious")
    status, _, err = run("export", session.id, "--out", "x.csv")
    assert (status, path.read_text()) == (1, "precious")
    assert "--force" in err
    assert run("export", session.id, "--out", "x.csv", "--force")[0] == 0
    assert path.read_text().startswith("at_s,utc,")


def test_an_export_that_fails_leaves_no_file(run, session, tmp_path, monkeypatch):
    def failing(*_arguments, **_options):
        yield next(chunks(random_table(1, 1)))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fer_web.history.repository.HistoryRepository.iter_samples", failing)
    status, _, err = run("export", session.id)
    assert status == 1
    assert "No space left" in err
    assert list((tmp_path / "here").iterdir()) == []


def test_export_and_import_through_a_file(run, session, store):
    run("export", session.id, "--format", "json", "--out", "s.json")
    status, out, _ = run("import", "s.json", "--json")
    made = json.loads(out)
    assert status == 0
    assert made["id"] != session.id
    assert made["samples"] == 100
    assert store.get_session(made["id"], None).owner == NO_BROWSER
    assert_equal_tables(store.read_samples(made["id"], None), store.read_samples(session.id, None))


def test_import_for_a_browser(run, session, store):
    run("export", session.id, "--format", "json", "--out", "s.json")
    made = json.loads(run("import", "s.json", "--json", "--owner-of", session.id)[1])
    assert store.get_session(made["id"], "browser-1").name == "A film"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "complete JSON"),
        ("at_s,utc\n", "lacks the column 'face'"),
        ('{"schema_version": 9}', "newer fer-web"),
        ('{"schema_version": 1, "samples": []}', "columns"),
    ],
)
def test_a_broken_import_says_why_and_stores_nothing(run, store, tmp_path, content, text):
    (tmp_path / "here" / "broken.json").write_text(content)
    status, out, err = run("import", "broken.json")
    assert (status, out) == (1, "")
    assert err.startswith("fer-web: ")
    assert text in err
    assert run("list")[1] == "No sessions.\n"


def test_delete_some(run, session, store):
    other = store.import_session(session_with(), "browser-2", [])
    status, out, _ = run("delete", session.id, "--json")
    assert (status, json.loads(out)) == (0, {"deleted": 1, "undo_s": 600})
    assert [row["id"] for row in json.loads(run("list", "--json")[1])] == [other.id]
    assert store.restore_session(session.id, "browser-1").id == session.id


def test_delete_with_one_wrong_id_deletes_none(run, session):
    status, _, err = run("delete", session.id, "unknown")
    assert status == 1
    assert "no such session" in err
    assert session.id in run("list")[1]


def test_delete_all_is_for_everybody_and_for_good(run, session, store):
    assert json.loads(run("delete", "--all", "--json")[1]) == {"deleted": 1}
    assert run("list")[1] == "No sessions.\n"
    assert run("delete", "--all")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "removed"),
    [
        (("--older-than-days", "36000"), {}, 0),
        (("--older-than-days", "29"), {}, 1),
        ((), {"FER_RETENTION_DAYS": "36000"}, 0),
        ((), {"FER_RETENTION_DAYS": "0"}, 0),
        (("--older-than-days", "1"), {"FER_RETENTION_DAYS": "0"}, 1),
        ((), {}, 1),
    ],
)
def test_purge_removes_what_is_older(run, store, arguments, environment, removed):
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=31)
    new = NewSession("browser-1", "Old", began, "flagship", "0123", 5.0)
    session = store.finish_session(store.open_session(new).id, 1.0)
    status, out, _ = run("purge", "--json", *arguments, **environment)
    assert (status, json.loads(out)["removed"]) == (0, removed)
    assert (session.id in run("list")[1]) == (removed == 0)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("export", "unknown"), "no such session"),
        (("import", "missing.json"), "missing.json: No such file"),
        (("import", "."), "."),
        (("list", "--search", "a" * 201), "200"),
        (("import", "x", "--owner-of", "unknown"), "no such session"),
        (("export", "ID", "--out", "no/such/folder/x.csv"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run, session, arguments, text):
    status, out, err = run(*(session.id if argument == "ID" else argument for argument in arguments))
    assert (status, out) == (1, "")
    assert err.startswith("fer-web: ")
    assert text in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("history",), ("history", "export"), ("history", "delete"), ("history", "nothing"),
        ("history", "export", "x", "--format", "xls"), ("history", "purge", "--older-than-days", "0"),
        ("history", "list", "--limit", "x"), ("history", "delete", "x", "--all"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_status_2(arguments, capsys, tmp_path):
    with pytest.raises(SystemExit) as exit_status:
        main(arguments, {"FER_DATA_DIR": str(tmp_path)})
    assert exit_status.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("environment", [{"FER_NONSENSE": "1"}, {"FER_DATABASE_URL": "mysql://x"}])
def test_a_wrong_environment_is_named(run, environment):
    status, _, err = run("list", **environment)
    assert status == 1
    assert next(iter(environment)) in err


def test_a_folder_that_cannot_be_used_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = run("list", "--data-dir", str(tmp_path / "file"))
    assert status == 1
    assert "--data-dir" in err


def test_a_file_that_is_no_database_is_named(run, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / SQLITE_FILE).write_bytes(b"no database at all" * 1000)
    status, _, err = run("list")
    assert status == 1
    assert "not a database" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as exit_status:
        build_parser().parse_args(["history", command, "--help"])
    text = capsys.readouterr().out
    assert exit_status.value.code == 0
    assert f"python -m fer_web history {command} " in text
    assert "--json" in text
    assert "exit status" in text


def test_every_command_stands_in_the_documents():
    text = read("docs/cli.md")
    for command in COMMANDS:
        assert f"python -m fer_web history {command}" in text


def test_as_a_program_with_pipes(tmp_path, session, store):
    exported = in_process(tmp_path, "history", "export", session.id, "--format", "json", "--out", "-")
    assert (exported.returncode, exported.stderr) == (0, b"")
    imported = in_process(tmp_path, "history", "import", "-", "--json", input=exported.stdout)
    assert imported.returncode == 0, imported.stderr
    made = json.loads(imported.stdout)["id"]
    assert_equal_tables(store.read_samples(made, None), store.read_samples(session.id, None))


def test_as_a_program_an_error_has_no_traceback(tmp_path):
    done = in_process(tmp_path, "history", "export", "unknown")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr
    assert b"no such session" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with pipes")
def test_as_a_program_whose_reader_leaves(tmp_path, store):
    made = store.import_session(session_with(), "b", chunks(random_table(600, 3)))
    script = f'"{sys.executable}" -m fer_web history export {made.id} --out - | head -1'
    environment = {**os.environ, "FER_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(script, shell=True, cwd=ROOT, env=environment, capture_output=True, timeout=300)
    assert done.stdout.startswith(b"at_s,utc,")
    assert done.stderr == b""

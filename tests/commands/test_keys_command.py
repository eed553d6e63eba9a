import json

import pytest

from fer_web.commands.main import main


def run(capsys, folder, *arguments):
    status = main(["keys", *arguments], {"FER_DATA_DIR": str(folder)})
    out, err = capsys.readouterr()
    return status, out, err


def test_a_key_is_made_listed_and_revoked(tmp_path, capsys):
    status, out, _ = run(capsys, tmp_path, "create", "my laptop")
    key = out.splitlines()[0]
    assert (status, key[:4], len(key)) == (0, "fer_", 36)
    _, listed, _ = run(capsys, tmp_path, "list")
    assert "my laptop" in listed
    assert key not in listed
    (row,) = json.loads(run(capsys, tmp_path, "list", "--json")[1])
    status, out, _ = run(capsys, tmp_path, "revoke", row["id"])
    assert (status, "opens nothing" in out) == (0, True)
    (row,) = json.loads(run(capsys, tmp_path, "list", "--json")[1])
    assert row["revoked_at"] is not None


def test_create_as_json_has_the_key_once(tmp_path, capsys):
    made = json.loads(run(capsys, tmp_path, "create", "x", "--json")[1])
    assert set(made) == {"id", "name", "created_at", "last_used_at", "revoked_at", "key"}


@pytest.mark.parametrize("arguments", [("create", ""), ("revoke", "unknown"), ("create", "n" * 101)])
def test_refusals_are_one_line_and_status_1(tmp_path, capsys, arguments):
    status, out, err = run(capsys, tmp_path, *arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)


def test_no_keys(tmp_path, capsys):
    assert run(capsys, tmp_path, "list")[1] == "No keys.\n"

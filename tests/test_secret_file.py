import errno
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from fer_web.errors import SetupError
from fer_web.secret_file import SECRET_FILE, load_secret


def test_a_secret_is_made_once(tmp_path):
    folder = tmp_path / "new" / "folder"
    secret = load_secret(folder)
    assert len(secret) == 32
    assert load_secret(folder) == secret
    assert load_secret(tmp_path) != secret
    assert [path.name for path in folder.iterdir()] == [SECRET_FILE]


def test_a_configured_secret_stands_in_its_place_and_no_file_is_made(tmp_path):
    assert load_secret(tmp_path / "none", "0f" * 32) == b"\x0f" * 32
    assert not (tmp_path / "none").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_can_read_it_even_where_others_could(tmp_path):
    load_secret(tmp_path)
    path = tmp_path / SECRET_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    load_secret(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_programs_that_start_at_the_same_time_agree(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(load_secret, [tmp_path] * 64))) == 1
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize("text", ["", "abcd", "zz" * 32, "0" * 63, "\x00" * 64])
def test_a_broken_secret_is_named(tmp_path, text):
    (tmp_path / SECRET_FILE).write_text(text)
    with pytest.raises(SetupError, match=r"secret holds no secret.*Restore it, or delete it"):
        load_secret(tmp_path)


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="--data-dir"):
        load_secret(tmp_path / "file")


def test_a_file_system_without_links_is_good_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError(errno.EPERM, "Operation not permitted")))
    secret = load_secret(tmp_path)
    assert load_secret(tmp_path) == secret
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]

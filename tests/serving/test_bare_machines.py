"""Where a container or a machine lacks what others have: a home, an entry of the user, 127.0.0.1."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from fer_web.errors import SettingsError
from fer_web.serving.listeners import loopback_url_of, open_host
from fer_web.storage import database
from fer_web.storage.database import open_engine
from tests.support.servers import ROOT

posix_only = pytest.mark.skipif(os.name != "posix", reason="Windows has neither such users nor such modes")

HOMELESS = """
import pwd
def unknown(*_):
    raise KeyError("no entry")
pwd.getpwuid = pwd.getpwnam = unknown
from fer_web.settings import HOMELESS_DATA_DIR, settings_from
assert settings_from([], {}).data_dir == HOMELESS_DATA_DIR, settings_from([], {})
import app
import fer_web.commands.main
print(HOMELESS_DATA_DIR)
"""


@posix_only
def test_user_without_home_and_entry_gets_a_folder_of_its_own():
    kept = {
        name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG_")
    }
    run = subprocess.run(
        [sys.executable, "-c", HOMELESS], env=kept, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).name == f"fer-web-{os.getuid()}"


@posix_only
@pytest.mark.parametrize("kind", ["open to others", "link", "own"])
def test_folder_that_anybody_could_make_is_used_where_it_is_private_alone(
    tmp_path, kind, monkeypatch, caplog
):
    folder = tmp_path / "fer-web-1"
    monkeypatch.setattr(database, "HOMELESS_DATA_DIR", folder)
    if kind == "open to others":
        folder.mkdir()
        folder.chmod(0o777)
    if kind == "link":
        (tmp_path / "other").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "other")
    if kind == "own":
        open_engine("", folder).dispose()
        open_engine("", folder).dispose()
        assert "no home folder" in caplog.text
        assert folder.stat().st_mode & 0o077 == 0
        return
    with pytest.raises(SettingsError, match="--data-dir"):
        open_engine("", folder)
    assert list(folder.iterdir()) == []


class NoIpv4(socket.socket):
    """A socket of a machine whose loopback has IPv6 alone."""

    def bind(self, address):
        if address[0].startswith("127.") or address[0] == "localhost":
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        super().bind(address)


POOL = """
import socket
bind = socket.socket.bind
def without_ipv4(self, address):
    assert not str(address[0]).startswith("127."), address
    return bind(self, address)
socket.socket.bind = without_ipv4
from fer_web.serving.modes import serving_mode
mode = serving_mode("eventlet")
print([mode.run_waiting(pow, 2, number) for number in range(4)])
def fails():
    raise ValueError("told")
try:
    mode.run_native(fails)
except ValueError as exc:
    print(exc)
"""


def test_threads_of_eventlet_need_no_127_0_0_1():
    run = subprocess.run(
        [sys.executable, "-c", POOL], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
    )
    assert run.stdout == "[1, 2, 4, 8]\ntold\n", run.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_without_127_0_0_1_ipv6_serves_and_is_told(host, monkeypatch):
    monkeypatch.setattr(socket, "socket", NoIpv4)
    with open_host(host, 0) as listener:
        assert loopback_url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def test_with_127_0_0_1_it_serves():
    with open_host("127.0.0.1", 0) as listener:
        assert listener.family == socket.AF_INET

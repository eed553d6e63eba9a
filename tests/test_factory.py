import threading

import pytest

from fer_web.errors import SetupError
from fer_web.sharing.link_store import DatabaseLinkStore
from fer_web.sharing.links import LinkBook
from fer_web.vendor_files import check_browser_modules
from tests.support.shared_application import Shared


def test_check_browser_modules_missing_names_file_and_command(tmp_path):
    with pytest.raises(SetupError, match=r"socket\.js is missing.*make setup"):
        check_browser_modules({"socket.js": tmp_path / "socket.js"})


def test_links_end_in_time_while_the_database_is_locked(tmp_path, monkeypatch):
    may_go_on, rounds = threading.Event(), threading.Semaphore(0)
    monkeypatch.setattr(DatabaseLinkStore, "forget", lambda *_: may_go_on.wait(60))
    monkeypatch.setattr(LinkBook, "announce_expired", lambda _: rounds.release())
    shared = Shared(tmp_path)
    try:
        assert all(rounds.acquire(timeout=60) for _ in range(3))
    finally:
        may_go_on.set()
        shared.close()

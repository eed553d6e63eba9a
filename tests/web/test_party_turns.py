"""Nobody elsewhere can take all places of those who wait for an image."""

import threading

import pytest

from fer_web.errors import OverloadedError
from fer_web.sharing.types import Admission
from fer_web.web.analysis_access import MAX_OF_PARTY, THIS_MACHINE, PartyTurns, party_of
from tests.web.analysing import analysing_application


class Waiting:
    """Stands for turns that do not come before `go_on`."""

    def __init__(self):
        self.came = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.party = "address"
        self.turns = PartyTurns(self._wait, lambda: self.party)
        self._threads = []

    def _wait(self, function):
        self.came.release()
        assert self.go_on.wait(10)
        return function()

    def begin(self, count):
        threads = [threading.Thread(target=self.turns, args=(lambda: None,)) for _ in range(count)]
        for thread in threads:
            thread.start()
            assert self.came.acquire(timeout=10)
        self._threads += threads

    def end(self):
        self.go_on.set()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def waiting():
    made = Waiting()
    yield made
    made.end()


def test_one_party_leaves_places_for_others(waiting):
    waiting.begin(MAX_OF_PARTY)
    with pytest.raises(OverloadedError, match="You have 9 images waiting"):
        waiting.turns(lambda: None)
    waiting.party = "another address"
    waiting.begin(1)
    waiting.end()
    waiting.party = "address"
    assert waiting.turns(lambda: "done") == "done"


def test_this_machine_may_have_all_places(waiting):
    waiting.party = THIS_MACHINE
    waiting.begin(MAX_OF_PARTY + 5)


def test_a_party_has_any_number_of_cookies(tmp_path):
    with analysing_application(tmp_path) as application:

        def party(address, **admission):
            with application.flask.test_request_context(environ_base={"REMOTE_ADDR": address}):
                return party_of(Admission(**{"is_local": False, **admission}))

        assert party("127.0.0.1", is_local=True) == THIS_MACHINE
        assert party("127.0.0.1", is_local=True, key="k") == party("192.0.2.1", key="k") == "key k"
        assert party("192.0.2.1") != party("192.0.2.2")
        assert party("2001:db8::1") == party("2001:db8::2")

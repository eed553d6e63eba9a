"""Nobody elsewhere can take all places of those who send images or wait for them."""

import contextlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fer_web.errors import OverloadedError
from fer_web.sharing.types import Admission
from fer_web.web.api.analysis_access import MAX_OF_PARTY, THIS_MACHINE, PartyPlaces, party_of
from tests.support.analysing import analysing_application
from tests.support.shared_application import Shared


class Party:
    """The places, and who asks for one."""

    def __init__(self):
        self.name = "address"
        self.places = PartyPlaces(lambda: self.name)


@pytest.fixture
def party():
    return Party()


def take(party, count, stack):
    for _ in range(count):
        stack.enter_context(party.places.taken())


def test_one_party_leaves_places_for_others(party):
    with contextlib.ExitStack() as stack:
        take(party, MAX_OF_PARTY, stack)
        with pytest.raises(OverloadedError, match="You have 9 images under way"):
            take(party, 1, stack)
        party.name = "another address"
        take(party, 1, stack)
    party.name = "address"
    with contextlib.ExitStack() as stack:
        take(party, MAX_OF_PARTY, stack)


def test_this_machine_may_have_all_places(party):
    party.name = THIS_MACHINE
    with contextlib.ExitStack() as stack:
        take(party, MAX_OF_PARTY + 5, stack)


def test_images_count_from_their_first_byte(tmp_path):
    """Each holds a temporary file; a further one is refused before any of it is read."""
    shared = Shared(tmp_path)
    link = shared.link()
    bodies = [SlowBody() for _ in range(MAX_OF_PARTY)]
    with contextlib.closing(shared), ThreadPoolExecutor(MAX_OF_PARTY) as pool:
        answers = [pool.submit(post, visitor_of(shared, link), body) for body in bodies]
        try:
            assert all(body.is_read.wait(60) for body in bodies)
            further = SlowBody()
            assert post(visitor_of(shared, link), further) == (503, "overloaded")
            assert not further.is_read.is_set()
        finally:
            for body in bodies:
                body.go_on.set()
        assert {answer.result() for answer in answers} == {(400, "empty_image")}
        assert post(visitor_of(shared, link), io.BytesIO(b"x")) == (415, "not_an_image")


def visitor_of(shared, link):
    phone = shared.browser()
    phone.open(link)
    return phone.client


class SlowBody(io.RawIOBase):
    """A request's body that ends when it is let go on, empty."""

    def __init__(self):
        super().__init__()
        self.is_read = threading.Event()
        self.go_on = threading.Event()

    def readable(self):
        return True

    def readinto(self, _buffer):
        self.is_read.set()
        assert self.go_on.wait(60)
        return 0


def post(client, body):
    answer = client.post(
        "/api/v1/predict",
        headers={"Origin": "http://localhost"},
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True},
    )
    return answer.status_code, answer.json["error"]["code"]


def test_a_party_has_any_number_of_cookies(tmp_path):
    with analysing_application(tmp_path) as application:

        def party(address, **admission):
            with application.flask.test_request_context(environ_base={"REMOTE_ADDR": address}):
                return party_of(Admission(**{"is_local": False, **admission}))

        assert party("127.0.0.1", is_local=True) == THIS_MACHINE
        assert party("127.0.0.1", is_local=True, key="k") == party("192.0.2.1", key="k") == "key k"
        assert party("192.0.2.1") != party("192.0.2.2")
        assert party("2001:db8::1") == party("2001:db8::2")

"""Nobody elsewhere can take all places of those who send images or wait for them."""

import contextlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fer_web.errors import OverloadedError
from fer_web.sharing.types import Admission
from fer_web.web.api.analysis_access import MAX_IMAGES_OF_CLIENT, THIS_MACHINE, ClientQuota, quota_key_of
from tests.support.analysing import analysing_application
from tests.support.shared_application import Shared


class Client:
    """The places, and who asks for one."""

    def __init__(self):
        self.name = "address"
        self.quota = ClientQuota(lambda: self.name)


@pytest.fixture
def client_key():
    return Client()


def take(client_key, count, stack):
    for _ in range(count):
        stack.enter_context(client_key.quota.taken())


def test_one_client_leaves_slots_for_others(client_key):
    with contextlib.ExitStack() as stack:
        take(client_key, MAX_IMAGES_OF_CLIENT, stack)
        with pytest.raises(OverloadedError, match="You have 9 images under way"):
            take(client_key, 1, stack)
        client_key.name = "another address"
        take(client_key, 1, stack)
    client_key.name = "address"
    with contextlib.ExitStack() as stack:
        take(client_key, MAX_IMAGES_OF_CLIENT, stack)


def test_this_machine_may_have_all_slots(client_key):
    client_key.name = THIS_MACHINE
    with contextlib.ExitStack() as stack:
        take(client_key, MAX_IMAGES_OF_CLIENT + 5, stack)


def test_images_count_from_their_first_byte(tmp_path):
    """Each holds a temporary file; a further one is refused before any of it is read."""
    shared = Shared(tmp_path)
    link = shared.link()
    bodies = [SlowBody() for _ in range(MAX_IMAGES_OF_CLIENT)]
    with contextlib.closing(shared), ThreadPoolExecutor(MAX_IMAGES_OF_CLIENT) as pool:
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


def test_a_client_has_any_number_of_cookies(tmp_path):
    with analysing_application(tmp_path) as application:

        def client_key(address, **admission):
            with application.flask.test_request_context(environ_base={"REMOTE_ADDR": address}):
                return quota_key_of(Admission(**{"is_local": False, **admission}))

        assert client_key("127.0.0.1", is_local=True) == THIS_MACHINE
        assert client_key("127.0.0.1", is_local=True, key="k") == client_key("192.0.2.1", key="k") == "key k"
        assert client_key("192.0.2.1") != client_key("192.0.2.2")
        assert client_key("2001:db8::1") == client_key("2001:db8::2")

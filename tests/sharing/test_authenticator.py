import pytest

from fer_web.errors import (
    LinkExpiredError,
    LinkNeededError,
    LinkRevokedError,
    SharingStoppedError,
    VisitorRemovedError,
)
from fer_web.sharing import visitor_registry as visitors_module
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.links import LinkBook
from fer_web.sharing.visitor_registry import VisitorRegistry
from tests.support.clocks import Clock
from tests.support.fakes.link_store import MemoryLinkStore

SECRET = bytes(range(32))
PHONE = "192.168.1.7"


class House:
    """An authenticator with its links and visitors."""

    def __init__(self, secret=SECRET):
        self.clock = Clock()
        self.links = LinkBook(MemoryLinkStore(), clock=self.clock)
        self.visitors = VisitorRegistry(self.clock)
        self.authenticator = Authenticator(secret, self.links, self.visitors, self.clock)

    def enter(self, **values):
        """Open a new link; returns it, the visitor and the cookies."""
        link, _ = self.links.create(**{"kind": "join", "name": "x", **values})
        visitor = self.visitors.arrive(link, address=PHONE, user_agent="", visitor=None)
        return link, visitor, {self.authenticator.visitor_cookie: self.authenticator.signed(visitor)}


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_needs_no_link(house, address):
    admission = house.authenticator.admit(address, {})
    assert (admission.is_local, admission.is_unknown, admission.may_stream) == (True, False, True)
    assert house.authenticator.is_local(address)


@pytest.mark.parametrize("address", [PHONE, "::ffff:192.168.1.7", "fe80::1%eth0", "0.0.0.0", "", None, "x"])
def test_everybody_else_is_an_outsider_without_one(house, address):
    admission = house.authenticator.admit(address, {})
    assert admission.is_unknown
    assert (admission.may_stream, admission.may_watch, admission.may_read("abc")) == (False, False, False)


@pytest.mark.parametrize(
    ("values", "may"),
    [
        ({}, (True, False, False)),
        ({"kind": "watch", "owner": "me"}, (False, True, False)),
        ({"kind": "session", "session": "abc"}, (False, False, True)),
    ],
)
def test_a_visitor_may_do_what_the_link_is_for(house, values, may):
    link, visitor, cookies = house.enter(**values)
    admission = house.authenticator.admit(PHONE, cookies)
    assert (admission.is_local, admission.visitor, admission.link) == (False, visitor, link)
    assert (admission.may_stream, admission.may_watch, admission.may_read("abc")) == may
    assert not admission.may_read("abcd")


def test_this_machine_may_open_a_link_too(house):
    link, visitor, cookies = house.enter(kind="watch", owner="me")
    admission = house.authenticator.admit("127.0.0.1", cookies)
    assert (admission.is_local, admission.visitor, admission.may_watch) == (True, visitor, True)
    house.links.revoke(link.id)
    assert house.authenticator.admit("127.0.0.1", cookies).may_watch is False
    with pytest.raises(LinkRevokedError):
        house.authenticator.admit_by_link(cookies)


@pytest.mark.parametrize(
    ("end", "error"),
    [
        (lambda house, link, visitor: house.links.revoke(link.id), LinkRevokedError),
        (lambda house, link, visitor: house.links.stop(), SharingStoppedError),
        (lambda house, link, visitor: house.clock.advance(12 * 3600), LinkExpiredError),
        (lambda house, link, visitor: house.visitors.remove(visitor), VisitorRemovedError),
    ],
)
def test_a_cookie_that_no_longer_opens_says_why(house, end, error):
    link, visitor, cookies = house.enter()
    end(house, link, visitor)
    with pytest.raises(error):
        house.authenticator.admit(PHONE, cookies)


def test_a_cookie_from_before_a_restart_says_that_sharing_stopped(house):
    _, _, cookies = house.enter()
    with pytest.raises(SharingStoppedError, match="has ended"):
        House().authenticator.admit(PHONE, cookies)


def test_a_forgotten_visitor_is_asked_to_open_the_link_again(house, monkeypatch):
    monkeypatch.setattr(visitors_module, "MAX_VISITORS", 1)
    _, _, cookies = house.enter()
    house.enter()
    with pytest.raises(LinkNeededError, match="again"):
        house.authenticator.admit(PHONE, cookies)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value + "x",
        lambda value: value[:-1],
        lambda value: "victim" + value[value.index(".") :],
        lambda value: value.rsplit(".", 1)[0],
        lambda value: "",
        lambda value: ".",
        lambda value: "ÿ" * 50,
        lambda value: House(bytes(32)).authenticator.signed("victim"),
    ],
)
def test_a_cookie_that_was_tampered_with_is_an_outsiders(house, change):
    _, _, cookies = house.enter()
    forged = {name: change(value) for name, value in cookies.items()}
    assert house.authenticator.admit(PHONE, forged).is_unknown


def test_an_owners_cookie_is_no_visitors(house):
    from fer_web.web.auth.owners import Owners

    _, visitor, _ = house.enter()
    assert house.authenticator.admit(
        PHONE, {house.authenticator.visitor_cookie: Owners(SECRET).signed(visitor)}
    ).is_unknown


def test_another_servers_cookie_has_another_name(house):
    assert (
        house.authenticator.visitor_cookie
        == House().authenticator.visitor_cookie
        != House(bytes(32)).authenticator.visitor_cookie
    )


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda house, link: house.links.revoke(link.id), "link_revoked"),
        (lambda house, link: house.links.stop(), "sharing_stopped"),
        (lambda house, link: house.clock.advance(12 * 3600), "link_expired"),
    ],
)
def test_the_end_of_a_link_ends_its_sockets(house, end, code):
    heard = []
    link, visitor, _ = house.enter()
    house.visitors.connect(visitor, "sid", heard.append)
    end(house, link)
    house.links.announce_expired()
    assert [error.code for error in heard] == [code]
    assert house.visitors.all()[0].connections == 0


def test_a_change_of_video_ends_no_socket(house):
    link, visitor, _ = house.enter(kind="watch", owner="me")
    house.visitors.connect(visitor, "sid", lambda reason: pytest.fail("it ended"))
    house.links.set_video(link.id, True)
    assert house.visitors.all()[0].connections == 1

"""What happens between the question who connects and the answer: told apart without servers."""

import pytest
from flask import Flask
from flask_socketio import ConnectionRefusedError

from fer_web.realtime.admission import SocketAdmission
from fer_web.sharing.authenticator import Authenticator
from fer_web.sharing.links import LinkBook
from fer_web.sharing.visitor_registry import VisitorRegistry
from tests.support.fakes.link_store import MemoryLinkStore

PHONE = "192.168.1.7"


class Interrupted(VisitorRegistry):
    """Does something else just before a socket is registered."""

    def before_connect(self):
        """Nothing by itself."""

    def connect(self, visitor_id, sid, end):
        self.before_connect()
        super().connect(visitor_id, sid, end)


@pytest.fixture
def visitors():
    return Interrupted()


@pytest.fixture
def links():
    return LinkBook(MemoryLinkStore())


@pytest.fixture
def enter(links, visitors):
    """Connects a visitor with a new link to join; returns that link and a way to try."""
    authenticator = Authenticator(bytes(range(32)), links, visitors)
    link, _ = links.create("join", "Anna")
    visitor = visitors.arrive(link, address=PHONE, user_agent="", visitor=None)
    headers = {"Cookie": f"{authenticator.visitor_cookie}={authenticator.signed(visitor)}"}

    def connect():
        with Flask("test").test_request_context(headers=headers, environ_base={"REMOTE_ADDR": PHONE}):
            SocketAdmission(authenticator, visitors).enter_live("sid", lambda _reason: None)

    return link, visitor, connect


def refused_with(connect):
    with pytest.raises(ConnectionRefusedError) as caught:
        connect()
    return caught.value.error_args["data"]["code"]


def test_an_undisturbed_visitor_is_registered(enter, visitors):
    enter[2]()
    assert [each.connections for each in visitors.all()] == [1]


def test_a_link_that_ends_meanwhile_lets_nobody_in(enter, links, visitors):
    link, _, connect = enter
    visitors.before_connect = lambda: links.revoke(link.id)
    assert refused_with(connect) == "link_revoked"
    assert [each.connections for each in visitors.all()] == [0]


@pytest.mark.parametrize("kind", ["join", "watch"])
def test_another_link_that_is_opened_meanwhile_does_not_keep_the_socket(enter, links, visitors, kind):
    link, visitor, connect = enter
    owner = "somebody" if kind == "watch" else None
    other, _ = links.create(kind, "Other", owner=owner)

    def change():
        visitors.arrive(other, address=PHONE, user_agent="", visitor=visitor)
        links.revoke(link.id)

    visitors.before_connect = change
    assert refused_with(connect) == "link_needed"
    assert [each.connections for each in visitors.all()] == [0]


def test_a_visitor_who_is_removed_meanwhile_stays_out(enter, visitors):
    _, visitor, connect = enter
    visitors.before_connect = lambda: visitors.remove(visitor)
    assert refused_with(connect) == "visitor_removed"
    assert visitors.all() == []

import logging

import pytest

from fer_web.errors import NotFoundError, ServerFullError, SharingStoppedError, VisitorRemovedError
from fer_web.sharing import visitor_registry as module
from fer_web.sharing.types import Link
from fer_web.sharing.user_agents import device_of
from fer_web.sharing.visitor_registry import VisitorRegistry
from tests.support.clocks import Clock

ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; Pixel) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0 Mobile Safari/537.36"
)


def link_at(created_s, link_id="L"):
    return Link(link_id, "join", "x", created_s, created_s + 3600)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def visitors(clock):
    return VisitorRegistry(clock)


@pytest.fixture
def link(clock):
    return link_at(clock())


def arrive(visitors, link, visitor=None, address="192.168.1.7"):
    return visitors.arrive(link, address=address, user_agent=ANDROID, visitor=visitor)


def test_a_visitor_is_listed_with_what_the_host_wants_to_know(visitors, link, clock):
    visitor_id = arrive(visitors, link)
    (visitor,) = visitors.all()
    assert (visitor.id, visitor.link, visitor.device) == (visitor_id, "L", "Chrome on Android")
    assert (visitor.address, visitor.since_s) == ("192.168.1.7", clock())
    assert (visitor.connections, visitor.is_streaming) == (0, False)


def test_a_visitor_who_opens_another_link_stays_the_same(visitors, link, clock):
    visitor_id = arrive(visitors, link)
    since_s = clock()
    clock.advance(5)
    assert arrive(visitors, link_at(clock(), "M"), visitor_id) == visitor_id
    (visitor,) = visitors.all()
    assert (visitor.link, visitor.since_s) == ("M", since_s)
    assert visitors.link_of(visitor_id) == "M"


def test_connections_and_streams_are_counted(visitors, link):
    visitor_id = arrive(visitors, link)
    for sid in ("a", "b"):
        visitors.connect(visitor_id, sid, lambda reason: None)
    visitors.set_streaming("a", True)
    assert (visitors.all()[0].connections, visitors.all()[0].is_streaming) == (2, True)
    visitors.disconnect("a")
    assert (visitors.all()[0].connections, visitors.all()[0].is_streaming) == (1, False)
    visitors.set_streaming("b", True)
    visitors.set_streaming("b", False)
    assert visitors.all()[0].is_streaming is False
    for verb in (visitors.disconnect, lambda sid: visitors.set_streaming(sid, True)):
        verb("nobody's")
    assert visitors.all()[0].connections == 1


def test_removing_ends_the_sockets_and_refuses_the_cookie(visitors, link):
    heard = []
    gone, stays = arrive(visitors, link), arrive(visitors, link)
    visitors.connect(gone, "a", heard.append)
    visitors.connect(gone, "b", heard.append)
    visitors.connect(stays, "c", lambda reason: pytest.fail("the other one ended"))
    visitors.remove(gone)
    assert [error.code for error in heard] == ["visitor_removed"] * 2
    assert [visitor.id for visitor in visitors.all()] == [stays]
    for refused in (
        lambda: visitors.link_of(gone),
        lambda: visitors.connect(gone, "d", heard.append),
        lambda: arrive(visitors, link, gone),
    ):
        with pytest.raises(VisitorRemovedError):
            refused()
    with pytest.raises(NotFoundError):
        visitors.remove(gone)


def test_a_removed_visitor_is_let_in_by_a_link_made_later(visitors, link, clock):
    visitor_id = arrive(visitors, link)
    visitors.remove(visitor_id)
    clock.advance(1)
    assert arrive(visitors, link_at(clock(), "later"), visitor_id) == visitor_id
    assert visitors.link_of(visitor_id) == "later"


def test_the_end_of_a_link_ends_the_sockets_that_it_let_in(visitors, link, clock):
    heard = []
    visitor_id = arrive(visitors, link)
    visitors.connect(visitor_id, "old", lambda reason: heard.append(("old", reason.code)))
    arrive(visitors, link_at(clock(), "M"), visitor_id)
    visitors.connect(visitor_id, "new", lambda reason: heard.append(("new", reason.code)))
    visitors.end_link("L", SharingStoppedError("over"))
    assert heard == [("old", "sharing_stopped")]
    assert visitors.all()[0].connections == 1
    visitors.end_link("M", SharingStoppedError("over"))
    assert heard[1:] == [("new", "sharing_stopped")]


def test_one_socket_that_fails_to_end_keeps_no_other(visitors, link, caplog):
    def broken(reason):
        raise RuntimeError("a bug")

    heard = []
    visitor_id = arrive(visitors, link)
    visitors.connect(visitor_id, "a", broken)
    visitors.connect(visitor_id, "b", heard.append)
    with caplog.at_level(logging.ERROR):
        visitors.remove(visitor_id)
    assert len(heard) == 1
    assert "did not end" in caplog.text


def test_past_the_bound_the_oldest_without_a_connection_is_forgotten(visitors, link, monkeypatch):
    monkeypatch.setattr(module, "MAX_VISITORS", 3)
    connected, idle, idle_too = (arrive(visitors, link) for _ in range(3))
    visitors.connect(connected, "a", lambda reason: None)
    newest = arrive(visitors, link)
    assert [visitor.id for visitor in visitors.all()] == [newest, idle_too, connected]
    assert visitors.link_of(idle) is None
    with pytest.raises(VisitorRemovedError):
        visitors.connect(idle, "b", lambda reason: None)


def test_where_all_are_connected_a_further_one_is_refused(visitors, link, monkeypatch):
    monkeypatch.setattr(module, "MAX_VISITORS", 2)
    for sid in ("a", "b"):
        visitors.connect(arrive(visitors, link), sid, lambda reason: None)
    with pytest.raises(ServerFullError, match="2 visitors"):
        arrive(visitors, link)


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (ANDROID, "Chrome on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 13; SM-G) AppleWebKit/537.36 (KHTML, like Gecko) "
            "SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.5 Safari/605.1.15",
            "Safari on Mac",
        ),
        ("", "Browser"),
        ("<script>alert(1)</script>\n" * 1000, "Browser"),
    ],
)
def test_a_device_is_named_in_words_of_ours(user_agent, device):
    assert device_of(user_agent) == device

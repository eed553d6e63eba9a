"""Visitor registries of two processes, and what one of them says."""

import pytest

from fer_web.errors import DatabaseError, NotFoundError, VisitorRemovedError
from fer_web.sharing.shared_visitors import GONE_S, SharedVisitors
from fer_web.sharing.types import Link
from fer_web.sharing.visitor_registry import VisitorRegistry
from tests.support.clocks import Clock
from tests.support.fakes.backplane import Exchange

PHONE = "192.168.1.7"


class MemoryRemovals:
    def __init__(self):
        self.removed = {}
        self.is_broken = False

    def save(self, visitor_id, removed_s):
        self._check()
        self.removed[visitor_id] = removed_s

    def since(self, after_s):
        self._check()
        return [(visitor_id, at_s) for visitor_id, at_s in self.removed.items() if at_s > after_s]

    def _check(self):
        if self.is_broken:
            raise DatabaseError("The disk is gone.")


class Process:
    def __init__(self, exchange, store, clock):
        self.registry = VisitorRegistry(clock)
        self.shared = SharedVisitors(
            self.registry,
            store,
            exchange.process(),
            longest_link_s=1e6,
            run_waiting=lambda function, *args: function(*args),
            clock=clock,
        )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def store():
    return MemoryRemovals()


@pytest.fixture
def one(exchange, store, clock):
    return Process(exchange, store, clock)


@pytest.fixture
def other(exchange, store, clock):
    return Process(exchange, store, clock)


def link(clock, name="a"):
    return Link(name, "join", name, clock(), clock() + 3600)


def arrive(process, of):
    return process.registry.arrive(of, address=PHONE, user_agent="Firefox/1 Android", visitor=None)


def test_each_visitor_is_listed_once_with_the_connections_of_both(one, other, clock):
    shared = link(clock)
    visitor = arrive(one, shared)
    one.shared.tell()
    other.registry.adopt(visitor, shared)
    ended = []
    one.registry.connect(visitor, "s1", ended.append)
    other.registry.connect(visitor, "s2", ended.append)
    other.registry.set_streaming("s2", True)
    one.shared.tell()
    other.shared.tell()
    for process in (one, other):
        (seen,) = process.registry.all()
        assert (seen.device, seen.address, seen.connections, seen.is_streaming) == (
            "Firefox on Android",
            PHONE,
            2,
            True,
        )


def test_a_process_that_says_nothing_more_is_forgotten(one, other, clock):
    arrive(one, link(clock))
    one.shared.tell()
    other.shared.tell()
    assert len(other.registry.all()) == 1
    clock.advance(GONE_S + 0.1)
    other.shared.tell()
    assert other.registry.all() == []


@pytest.mark.parametrize("way", ["told", "stored"])
def test_a_removal_ends_the_others_sockets_until_a_newer_link(one, other, exchange, clock, way):
    shared, ended = link(clock), []
    visitor = arrive(one, shared)
    one.shared.tell()
    other.registry.adopt(visitor, shared)
    other.registry.connect(visitor, "s", ended.append)
    clock.advance(10)
    exchange.is_down = way == "stored"
    one.registry.remove(visitor)
    if way == "stored":
        assert ended == []
        other.shared.refresh()
    assert [type(each) for each in ended] == [VisitorRemovedError]
    for process in (one, other):
        with pytest.raises(VisitorRemovedError):
            process.registry.adopt(visitor, shared)
    clock.advance(10)
    newer = link(clock, "b")
    other.registry.adopt(visitor, newer)
    other.shared.refresh()
    assert other.registry.link_of(visitor) == "b"


def test_who_is_only_elsewhere_can_be_removed_here(one, other, clock):
    visitor = arrive(one, link(clock))
    one.shared.tell()
    other.registry.remove(visitor)
    with pytest.raises(VisitorRemovedError):
        one.registry.link_of(visitor)
    with pytest.raises(NotFoundError):
        other.registry.remove(visitor)


def test_a_removal_that_could_not_be_stored_is_stored_later(one, store, clock):
    visitor = arrive(one, link(clock))
    store.is_broken = True
    one.registry.remove(visitor)
    one.shared.refresh()
    assert store.removed == {}
    store.is_broken = False
    one.shared.refresh()
    assert list(store.removed) == [visitor]

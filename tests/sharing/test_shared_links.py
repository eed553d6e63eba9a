"""Link books of two processes that have one store and one secret."""

import pytest

from fer_web.errors import DatabaseError, LinkRevokedError, LinkUnknownError, NotFoundError
from fer_web.sharing.links import LinkBook, LinkSharing
from tests.support.clocks import Clock
from tests.support.fakes.link_store import MemoryLinkStore


class FailingStore(MemoryLinkStore):
    is_broken = False

    def save(self, link):
        if self.is_broken:
            raise DatabaseError("The disk is gone.")
        super().save(link)


@pytest.fixture
def store():
    return FailingStore()


@pytest.fixture
def clock():
    return Clock()


def book(store, clock, secret=bytes(32), tell=lambda: None):
    return LinkBook(store, clock=clock, sharing=LinkSharing(secret, tell))


def test_a_link_of_one_opens_at_the_other_before_it_was_told(store, clock):
    one, other = book(store, clock), book(store, clock)
    link, token = one.create("watch", "Class", owner="me", video=True)
    assert other.redeem(token) == link == other.get(link.id)
    assert other.token_of(link.id) == token
    again, _ = one.create("join", "Anna")
    assert other.find(again.id) == again


def test_no_token_is_stored_and_none_follows_from_the_id(store, clock):
    link, token = book(store, clock).create("join", "x")
    assert token not in repr(store.links)
    assert book(store, clock, bytes(31) + b"1").create("join", "x")[1] != token
    assert link.id not in token


def test_changes_and_ends_are_taken_over_and_told_once(store, clock):
    told = []
    one, other = book(store, clock, tell=lambda: told.append(1)), book(store, clock)
    link, token = one.create("watch", "x", owner="me")
    other.refresh()
    heard = []
    other.subscribe(heard.append)
    one.set_video(link.id, True)
    other.refresh()
    assert other.get(link.id).video
    one.revoke(link.id)
    other.refresh()
    other.refresh()
    assert [each.ended for each in heard] == [None, "revoked"]
    with pytest.raises(LinkRevokedError):
        other.redeem(token)
    assert len(told) == 3
    other.announce_expired()
    assert len(heard) == 2


def test_what_ended_here_is_not_opened_again_by_an_older_row(store, clock):
    one, other = book(store, clock), book(store, clock)
    link, _ = one.create("join", "x")
    other.refresh()
    store.is_broken = True
    other.revoke(link.id)
    other.refresh()
    assert other.get(link.id).ended == "revoked"
    store.is_broken = False
    other.refresh()
    one.refresh()
    assert one.get(link.id).ended == "revoked"


def test_links_of_another_secret_and_of_one_process_are_left_alone(store, clock):
    link, token = book(store, clock, b"another secret, of 32 bytes here").create("join", "x")
    lone, lone_token = LinkBook(store, clock=clock).create("join", "y")
    other = book(store, clock)
    other.refresh()
    assert other.all() == []
    for each in (link, lone):
        with pytest.raises(NotFoundError):
            other.find(each.id)
    with pytest.raises(LinkUnknownError):
        other.redeem("x" * 24)
    del token, lone_token


def test_a_process_that_begins_later_has_what_is_open(store, clock):
    one = book(store, clock)
    kept, _ = one.create("join", "kept")
    expired, _ = one.create("join", "short", hours=0.1)
    clock.advance(3600)
    other = book(store, clock)
    other.refresh()
    assert [each.id for each in other.all()] == [kept.id]
    del expired


def test_what_is_on_its_way_to_the_store_is_not_saved_twice(store, clock):
    saved = []

    class Slow(MemoryLinkStore):
        def save(self, link):
            saved.append(link)
            links.refresh()
            super().save(link)

    links = book(Slow(), clock)
    links.create("join", "x")
    assert len(saved) == 1

import logging
import re

import pytest

from fer_web.errors import (
    DatabaseError,
    InvalidValueError,
    LinkExpiredError,
    LinkRevokedError,
    LinkUnknownError,
    NotFoundError,
    SharingStoppedError,
)
from fer_web.sharing.links import MAX_LINKS, MAX_OPEN_LINKS, REMEMBERED_S, LinkBook, hash_of
from tests.support.clocks import Clock
from tests.support.fakes.link_store import MemoryLinkStore


class BrokenStore:
    def save(self, link):
        raise DatabaseError("The disk is gone.")

    def find(self, token_hash):
        raise DatabaseError("The disk is gone.")

    def forget(self, before_s):
        raise DatabaseError("The disk is gone.")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return MemoryLinkStore()


@pytest.fixture
def links(store, clock):
    return LinkBook(store, clock=clock)


def test_a_new_link_is_open_and_its_token_has_144_bits(links, clock):
    link, token = links.create("join", " Anna's phone ")
    assert (link.kind, link.name, link.state(clock())) == ("join", "Anna's phone", "open")
    assert link.expires_s == clock() + 12 * 3600
    assert re.fullmatch("[A-Za-z0-9_-]{24}", token)
    assert links.redeem(token) == link == links.get(link.id)
    assert links.token_of(link.id) == token
    assert token not in repr(link)


def test_tokens_and_ids_differ(links):
    made = [links.create("join", "x") for _ in range(50)]
    assert len({token for _, token in made}) == len({link.id for link, _ in made}) == 50


def test_all_lists_the_newest_first(links):
    made = [links.create("join", str(i))[0] for i in range(3)]
    assert links.all() == made[::-1]


def test_a_watch_link_has_owner_and_video_a_session_link_its_session(links):
    watch, _ = links.create("watch", "w", owner="me", video=True)
    session, _ = links.create("session", "s", session="abc")
    assert (watch.owner, watch.video, watch.session) == ("me", True, None)
    assert (session.owner, session.video, session.session) == (None, False, "abc")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "host"}, ["'host'", "join, watch, session"]),
        ({"kind": ["join"]}, ["join, watch, session"]),
        ({"name": ""}, ["1 to 100"]),
        ({"name": "   "}, ["1 to 100"]),
        ({"name": "x" * 101}, ["101", "100"]),
        ({"name": "a\nb"}, ["control character"]),
        ({"name": 5}, ["int"]),
        ({"hours": 0.04}, ["0.05 to 720", "0.04"]),
        ({"hours": 721}, ["0.05 to 720"]),
        ({"hours": float("nan")}, ["0.05 to 720"]),
        ({"hours": float("inf")}, ["0.05 to 720"]),
        ({"hours": 10**400}, ["0.05 to 720"]),
        ({"hours": "12"}, ["0.05 to 720", "'12'"]),
        ({"hours": True}, ["0.05 to 720", "True"]),
        ({"kind": "session"}, ["session"]),
        ({"session": "abc"}, ["session"]),
        ({"kind": "watch"}, ["owner"]),
        ({"owner": "me"}, ["owner"]),
        ({"video": True}, ["watch"]),
        ({"kind": "watch", "owner": "me", "video": 1}, ["true or false"]),
    ],
)
def test_create_with_a_value_that_is_not_allowed_says_what_is(links, values, words):
    with pytest.raises(InvalidValueError) as error:
        links.create(**{"kind": "join", "name": "x", **values})
    assert all(word in str(error.value) for word in words), error.value
    assert links.all() == []


def test_too_many_open_links_are_refused_until_one_ends(links, clock):
    first, _ = links.create("join", "first", hours=1)
    for i in range(MAX_OPEN_LINKS - 1):
        links.create("join", str(i))
    with pytest.raises(InvalidValueError, match="100 links are open"):
        links.create("join", "more")
    clock.advance(3600)
    assert first.state(clock()) == "expired"
    links.create("join", "more")


def test_ended_links_leave_the_memory_but_are_still_told_apart(links):
    (first, token), *_ = made = [links.create("join", "x") for _ in range(3)]
    for link, _ in made:
        links.revoke(link.id)
    for _ in range(MAX_LINKS):
        links.revoke(links.create("join", "y")[0].id)
    assert len(links.all()) == MAX_LINKS
    with pytest.raises(NotFoundError):
        links.get(first.id)
    with pytest.raises(LinkRevokedError):
        links.redeem(token)


@pytest.mark.parametrize(
    "token", ["", "x", "x" * 24, "x" * 23, "x" * 1000, "ä" * 24, "\0" * 24, "x" * 24 + "\n"]
)
def test_a_token_that_is_none_is_unknown_and_not_repeated(links, token):
    with pytest.raises(LinkUnknownError) as error:
        links.redeem(token)
    assert len(token) < 20 or token not in str(error.value)


def test_an_expired_link_opens_nothing_from_the_second_on(links, clock):
    link, token = links.create("join", "x", hours=0.05)
    clock.advance(179.9)
    assert links.redeem(token) == link
    clock.advance(0.1)
    with pytest.raises(LinkExpiredError, match="time"):
        links.redeem(token)
    assert links.token_of(link.id) is None


def test_a_revoked_link_opens_nothing_and_the_others_stay(links):
    link, token = links.create("join", "x")
    other, other_token = links.create("join", "y")
    assert links.revoke(link.id).ended == "revoked"
    with pytest.raises(LinkRevokedError, match="withdrawn"):
        links.redeem(token)
    assert links.token_of(link.id) is None
    assert links.redeem(other_token) == other


def test_stop_ends_all_and_a_later_link_shares_again(links):
    tokens = [links.create("join", "x")[1] for _ in range(3)]
    links.stop()
    for token in tokens:
        with pytest.raises(SharingStoppedError, match="stopped sharing"):
            links.redeem(token)
    link, token = links.create("join", "again")
    assert links.redeem(token) == link


def test_an_ended_link_is_not_ended_again(links, clock):
    revoked, _ = links.create("join", "x")
    expired, _ = links.create("join", "y", hours=1)
    links.revoke(revoked.id)
    clock.advance(3600)
    links.stop()
    assert links.get(revoked.id).ended == "revoked"
    assert links.revoke(expired.id).state(clock()) == "expired"


def test_video_is_changed_on_open_watch_links_alone(links):
    watch, _ = links.create("watch", "w", owner="me")
    join, _ = links.create("join", "j")
    assert links.set_video(watch.id, True).video is True
    assert links.get(watch.id).video is True
    for link_id, video in ((join.id, True), (watch.id, 1)):
        with pytest.raises(InvalidValueError):
            links.set_video(link_id, video)
    links.revoke(watch.id)
    with pytest.raises(InvalidValueError, match="revoked"):
        links.set_video(watch.id, False)


@pytest.mark.parametrize("verb", ["get", "revoke"])
def test_a_link_that_is_not_there_is_not_found(links, verb):
    with pytest.raises(NotFoundError):
        getattr(links, verb)("nothing")
    with pytest.raises(NotFoundError):
        links.set_video("nothing", True)
    assert links.token_of("nothing") is None


def test_listeners_hear_of_each_change_once(links, clock):
    heard = []
    links.subscribe(lambda link: heard.append((link.name, link.video, link.state(clock()))))
    watch, _ = links.create("watch", "w", owner="me")
    links.create("join", "short", hours=1)
    links.create("join", "stopped")
    links.set_video(watch.id, True)
    links.revoke(watch.id)
    links.revoke(watch.id)
    clock.advance(3600)
    links.announce_expired()
    links.announce_expired()
    links.stop()
    links.announce_expired()
    assert heard == [
        ("w", True, "open"),
        ("w", True, "revoked"),
        ("short", False, "expired"),
        ("stopped", False, "stopped"),
    ]


def test_a_listener_may_ask_the_book(links):
    heard = []
    links.subscribe(lambda link: heard.append(links.get(link.id)))
    link, _ = links.create("join", "x")
    assert links.revoke(link.id) == heard[0]


@pytest.mark.parametrize(
    ("end", "later_s", "error"),
    [
        (None, 60, SharingStoppedError),
        ("stop", 60, SharingStoppedError),
        ("revoke", 60, LinkRevokedError),
        (None, 3600, LinkExpiredError),
        (None, 3600 + REMEMBERED_S, LinkExpiredError),
        (None, 3601 + REMEMBERED_S, LinkUnknownError),
        ("revoke", 3601 + REMEMBERED_S, LinkUnknownError),
    ],
)
def test_after_a_restart_an_old_token_is_told_why(links, store, clock, end, later_s, error):
    link, token = links.create("join", "x", hours=1)
    if end == "revoke":
        links.revoke(link.id)
    if end == "stop":
        links.stop()
    clock.advance(later_s)
    again = LinkBook(store, clock=clock)
    assert again.all() == []
    with pytest.raises(error):
        again.redeem(token)


def test_what_ended_long_ago_is_forgotten(links, store, clock):
    links.create("join", "old", hours=1)
    clock.advance(2 * 3600 + REMEMBERED_S)
    links.create("join", "new", hours=1)
    links.forget_old()
    assert len(store.links) == 1


def test_the_store_gets_the_hash_and_never_the_token(links, store):
    link, token = links.create("join", "secret name")
    links.revoke(link.id)
    assert list(store.links) == [hash_of(token)]
    assert token not in repr(store.links)
    assert "secret name" not in repr(store.links)


def test_without_a_store_sharing_goes_on_and_says_so_once(clock, caplog):
    links = LinkBook(BrokenStore(), clock=clock)
    with caplog.at_level(logging.WARNING):
        link, token = links.create("join", "x")
        assert links.redeem(token) == link
        with pytest.raises(LinkUnknownError):
            links.redeem("y" * 24)
        links.revoke(link.id)
        links.forget_old()
        links.stop()
    (record,) = caplog.records
    assert "The disk is gone." in record.getMessage()
    assert token not in record.getMessage()


def test_what_may_block_goes_through_run_waiting(store, clock):
    called = []

    def run_waiting(function, *args):
        called.append(function.__name__)
        return function(*args)

    links = LinkBook(store, clock=clock, run_waiting=run_waiting)
    link, token = links.create("join", "x")
    links.redeem(token)
    links.revoke(link.id)
    with pytest.raises(LinkUnknownError):
        links.redeem("y" * 24)
    assert called == ["save", "save", "find"]

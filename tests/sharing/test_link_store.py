import pytest

from fer_web.errors import DatabaseError, LinkRevokedError, SharingStoppedError
from fer_web.history.repository import open_history
from fer_web.sharing.link_store import DatabaseLinkStore
from fer_web.sharing.links import LinkBook, StoredLink
from tests.support.fakes.link_store import MemoryLinkStore
from tests.support.postgres import PostgresServer

LINK = StoredLink("ab" * 32, 1_700_000_000.25, 1_700_003_600.125, None)


@pytest.fixture(scope="module")
def postgres():
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryLinkStore()
        return
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgresql" else ""
    history = open_history(url, tmp_path / "data")
    yield DatabaseLinkStore(history.engine)
    history.close()


def test_a_link_comes_back_as_it_was(store):
    store.save(LINK)
    assert store.find(LINK.token_hash) == LINK
    assert store.find("cd" * 32) is None


def test_a_link_that_ended_replaces_what_it_was(store):
    ended = StoredLink(LINK.token_hash, LINK.created_s, LINK.expires_s, "revoked")
    store.save(LINK)
    store.save(ended)
    assert store.find(LINK.token_hash) == ended


def test_forget_removes_what_expired_before(store):
    other = StoredLink("cd" * 32, LINK.created_s, LINK.expires_s + 10, "stopped")
    store.save(LINK)
    store.save(other)
    store.forget(LINK.expires_s)
    assert store.find(LINK.token_hash) == LINK
    store.forget(LINK.expires_s + 5)
    assert store.find(LINK.token_hash) is None
    assert store.find(other.token_hash) == other


def test_a_second_server_on_the_same_store_says_why(store):
    links = LinkBook(store)
    (_, open_token), (revoked, revoked_token) = links.create("join", "a"), links.create("join", "b")
    links.revoke(revoked.id)
    again = LinkBook(store)
    with pytest.raises(SharingStoppedError):
        again.redeem(open_token)
    with pytest.raises(LinkRevokedError):
        again.redeem(revoked_token)


def test_a_database_that_is_gone_raises_the_error_that_links_expect(tmp_path):
    history = open_history("", tmp_path / "data")
    store = DatabaseLinkStore(history.engine)
    with history.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE links")
    with pytest.raises(DatabaseError):
        store.save(LINK)
    links = LinkBook(store)
    link, token = links.create("join", "x")
    assert links.redeem(token) == link
    history.close()


def test_no_file_of_the_data_folder_holds_the_token(tmp_path):
    history = open_history("", tmp_path / "data")
    links = LinkBook(DatabaseLinkStore(history.engine))
    (_, token), (revoked, other) = links.create("join", "x"), links.create("join", "y")
    links.redeem(token)
    links.revoke(revoked.id)
    history.close()
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not any(text.encode() in path.read_bytes() for text in (token, other)), path

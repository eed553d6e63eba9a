import pytest

from fer_web.errors import (
    DatabaseLockedError,
    InvalidValueError,
    KeyRevokedError,
    KeyUnknownError,
    NotFoundError,
)
from fer_web.history.repository import open_history
from fer_web.sharing.key_store import DatabaseKeyStore
from fer_web.sharing.keys import MAX_KEYS, REMEMBERED_S, KeyBook, hash_of
from fer_web.storage.schema import api_keys


class Clock:
    now_s = 1_800_000_000.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def history(tmp_path):
    opened = open_history("", tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keys(history, clock):
    return KeyBook(DatabaseKeyStore(history.engine), clock)


def test_a_key_opens_and_is_stored_as_a_hash_alone(keys, history):
    key, text = keys.create("  laptop ")
    assert (key.name, keys.identify(text).id) == ("laptop", key.id)
    with history.engine.connect() as connection:
        (row,) = connection.execute(api_keys.select()).all()
    assert row.key_hash == hash_of(text)
    assert text not in repr(row)
    assert len({keys.create("x")[1] for _ in range(5)}) == 5


def test_each_key_owns_what_is_made_with_it(keys):
    assert keys.create("a")[0].owner != keys.create("a")[0].owner


@pytest.mark.parametrize(
    "text",
    ["", "fer_", "fer_" + "a" * 32, "fer_" + "a" * 31 + "é", "a" * 36, "fer_" + "a" * 32 + "\n", "x" * 9999],
)
def test_what_is_no_key_is_unknown(keys, text):
    keys.create("another")
    with pytest.raises(KeyUnknownError, match="No key is like this"):
        keys.identify(text)


def test_a_revoked_key_says_so_whoever_revoked_it(keys, history, clock):
    key, text = keys.create("laptop")
    elsewhere = KeyBook(DatabaseKeyStore(history.engine), clock)
    assert elsewhere.revoke(key.id).revoked_s == clock.now_s
    with pytest.raises(KeyRevokedError):
        keys.identify(text)
    clock.now_s += 5
    assert keys.revoke(key.id).revoked_s == clock.now_s - 5  # it stays as it was
    with pytest.raises(NotFoundError):
        keys.revoke("unknown")


def test_revoked_keys_are_forgotten_after_a_while(keys, clock):
    key, text = keys.create("old")
    keys.revoke(key.id)
    clock.now_s += REMEMBERED_S + 1
    keys.create("new")
    assert [each.name for each in keys.all()] == ["new"]
    with pytest.raises(KeyUnknownError):
        keys.identify(text)


def test_the_last_use_is_noted_once_a_minute(keys, clock):
    _, text = keys.create("laptop")
    noted = []
    for step_s in (0, 30, 31):
        clock.now_s += step_s
        keys.identify(text)
        noted.append(keys.all()[0].used_s - 1_800_000_000)
    assert noted == [0, 0, 61]


def test_a_database_that_cannot_be_written_lets_keys_open(keys, monkeypatch, caplog):
    _, text = keys.create("laptop")

    def locked(*_):
        raise DatabaseLockedError("locked")

    monkeypatch.setattr(DatabaseKeyStore, "note_use", locked)
    assert keys.identify(text).name == "laptop"
    assert "use of a key was not noted" in caplog.text
    assert text not in caplog.text


@pytest.mark.parametrize("name", ["", "  ", "n" * 101, "a\0b", 7, None])
def test_names_that_are_not_allowed(keys, name):
    with pytest.raises(InvalidValueError):
        keys.create(name)


def test_open_keys_are_bounded(keys):
    first, _ = keys.create("first")
    for number in range(MAX_KEYS - 1):
        keys.create(f"key {number}")
    with pytest.raises(InvalidValueError, match="Revoke one"):
        keys.create("one more")
    keys.revoke(first.id)
    keys.create("one more")

"""Keys with which programs use the HTTP API: made, recognised, revoked. Only their hashes are kept."""

import dataclasses
import datetime
import hashlib
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fer_web.errors import DatabaseError, InvalidValueError, KeyRevokedError, KeyUnknownError, NotFoundError
from fer_web.storage.texts import check_text

_log = logging.getLogger(__name__)

PREFIX: Final = "fer_"
"""People, and programs that look for secrets in files, see by this what it is."""

MAX_KEY_NAME: Final = 100
MAX_KEYS: Final = 100
REMEMBERED_S: Final = 90 * 86400.0
"""A key is still told apart from one that never was for this long after its end."""

USE_NOTED_S: Final = 60.0
"""A key's last use is written down so seldom: a commit would cost each request more than its answer."""

_KEY_BYTES: Final = 24
_FORM: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{32}}")


@dataclass(frozen=True)
class ApiKey:
    """A key as the host sees it; what opens is not part of it.

    Attributes:
        id: public name, which opens nothing.
        name: given by the host.
        owner: what is made with it is stored under this.
        created_s: seconds since 1970, as the other times.
        used_s: about when it was used last; None if never.
        revoked_s: when the host ended it; None while it opens.
    """

    id: str
    name: str
    owner: str
    created_s: float
    used_s: float | None = None
    revoked_s: float | None = None

    def to_wire(self) -> dict[str, str | None]:
        """As JSON shows it, on the command line as over HTTP."""
        return {
            "id": self.id,
            "name": self.name,
            "created_at": _utc(self.created_s),
            "last_used_at": _utc(self.used_s),
            "revoked_at": _utc(self.revoked_s),
        }


def _utc(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


class KeyStore(Protocol):
    """A key store keeps keys. Its verbs may block, and raise DatabaseError."""

    def add(self, key_hash: str, key: ApiKey) -> None:
        """Store a new key."""

    def find(self, key_hash: str) -> ApiKey | None:
        """The key of this hash, revoked or not; None where there is none."""

    def all(self) -> list[ApiKey]:
        """Every key, revoked or not, the newest first."""
        ...

    def note_use(self, key_id: str, used_s: float) -> None:
        """Store when a key was used last."""

    def revoke(self, key_id: str, revoked_s: float) -> None:
        """Store that a key is over, unless it was before."""

    def forget(self, before_s: float) -> None:
        """Remove the keys that were revoked before a moment, in seconds since 1970."""


def hash_of(key: str) -> str:
    """Return what is stored of a key: SHA-256, in hexadecimal. 192 random bits need no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


class KeyBook:
    """All keys of this server's database. It remembers none: what a command revokes is over at once."""

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.time) -> None:
        """Args: clock: seconds since 1970."""
        self._store = store
        self._clock = clock

    def create(self, name: object) -> tuple[ApiKey, str]:
        """A new key, and the text that opens, which cannot be had again.

        Raises: InvalidValueError: the name is not allowed, or too many keys are open. DatabaseError.
        """
        checked = check_text("name", name, MAX_KEY_NAME)
        if not checked:
            raise InvalidValueError("The key needs a name, by which it is known when it is to be revoked.")
        now_s = self._clock()
        self._store.forget(now_s - REMEMBERED_S)
        if sum(key.revoked_s is None for key in self._store.all()) >= MAX_KEYS:
            raise InvalidValueError(f"{MAX_KEYS} keys are open, more are not allowed. Revoke one.")
        text = PREFIX + secrets.token_urlsafe(_KEY_BYTES)
        key = ApiKey(secrets.token_urlsafe(9), checked, secrets.token_urlsafe(18), now_s)
        self._store.add(hash_of(text), key)
        return key, text

    def identify(self, text: str) -> ApiKey:
        """The key that this text opens; the database is asked each time.

        Raises: KeyUnknownError, KeyRevokedError: it opens nothing. DatabaseError.
        """
        key = self._store.find(hash_of(text)) if _FORM.fullmatch(text) else None
        if key is None:
            raise KeyUnknownError(
                "No key is like this one. Ask the person who runs the server for a key, and send all of it: "
                "Authorization: Bearer fer_..."
            )
        if key.revoked_s is not None:
            raise KeyRevokedError("This key was revoked. Ask the person who runs the server for a new one.")
        self._note_use(key)
        return key

    def all(self) -> list[ApiKey]:
        """Every key, the newest first; the revoked ones for REMEMBERED_S. Raises DatabaseError."""
        return self._store.all()

    def revoke(self, key_id: str) -> ApiKey:
        """End a key, at once; one that was revoked stays so. Raises NotFoundError, DatabaseError."""
        key = next((key for key in self._store.all() if key.id == key_id), None)
        if key is None:
            raise NotFoundError("There is no such key. The list has the ids: python -m fer_web keys list")
        if key.revoked_s is None:
            key = dataclasses.replace(key, revoked_s=self._clock())
            self._store.revoke(key.id, self._clock())
        return key

    def revoked_ids(self) -> set[str]:
        """Of the keys that were ended, here or by a command. Raises DatabaseError."""
        return {key.id for key in self._store.all() if key.revoked_s is not None}

    def _note_use(self, key: ApiKey) -> None:
        now_s = self._clock()
        if key.used_s is not None and abs(now_s - key.used_s) < USE_NOTED_S:
            return
        try:
            self._store.note_use(key.id, now_s)
        except DatabaseError as exc:  # who asks for something need not fail for this
            _log.warning("The use of a key was not noted: %s", exc)

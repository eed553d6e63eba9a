"""Keeps the keys of programs in the history's database."""

from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update

from fer_web.sharing.keys import ApiKey
from fer_web.storage.database import reading, writing
from fer_web.storage.schema import api_keys
from fer_web.storage.times import to_ms


class DatabaseKeyStore:
    """The table of keys. Its verbs block, each is one transaction, and each raises DatabaseError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, key_hash: str, key: ApiKey) -> None:
        """Store a new key."""
        values = {
            "key_hash": key_hash,
            "id": key.id,
            "name": key.name,
            "owner": key.owner,
            "created_ms": to_ms(key.created_s),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(api_keys).values(values))

    def find(self, key_hash: str) -> ApiKey | None:
        """The key of this hash, revoked or not; None where there is none."""
        with reading(self._engine) as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.key_hash == key_hash)).first()
        return None if row is None else _key_of(row)

    def all(self) -> list[ApiKey]:
        """Every key, revoked or not, the newest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_ms.desc(), api_keys.c.id))
            return [_key_of(row) for row in rows]

    def note_use(self, key_id: str, used_s: float) -> None:
        """Store when a key was used last."""
        with writing(self._engine) as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_ms=to_ms(used_s)))

    def revoke(self, key_id: str, revoked_s: float) -> None:
        """Store that a key is over, unless it was before."""
        is_open = (api_keys.c.id == key_id) & api_keys.c.revoked_ms.is_(None)
        with writing(self._engine) as connection:
            connection.execute(update(api_keys).where(is_open).values(revoked_ms=to_ms(revoked_s)))

    def forget(self, before_s: float) -> None:
        """Remove the keys that were revoked before a moment, in seconds since 1970."""
        with writing(self._engine) as connection:
            connection.execute(delete(api_keys).where(api_keys.c.revoked_ms < to_ms(before_s)))


def _key_of(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id, row.name, row.owner, row.created_ms / 1000, _seconds(row.used_ms), _seconds(row.revoked_ms)
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000

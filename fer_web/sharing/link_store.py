"""Remembers links beyond the process, in the history's database."""

import dataclasses
import json
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update

from fer_web.sharing.links import StoredLink
from fer_web.sharing.types import Link
from fer_web.storage.database import reading, writing
from fer_web.storage.schema import links
from fer_web.storage.times import to_ms


class DatabaseLinkStore:
    """The table of links. Its verbs block, each is one transaction, and each raises DatabaseError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, link: StoredLink) -> None:
        """Store a link, or how it ended."""
        values = {
            "token_hash": link.token_hash,
            "created_ms": to_ms(link.created_s),
            "expires_ms": to_ms(link.expires_s),
            "ended": link.ended,
            "link": None if link.link is None else json.dumps(dataclasses.asdict(link.link)),
        }
        with writing(self._engine) as connection:
            # Several processes may end one link at once; only its maker inserts it.
            changed = connection.execute(
                update(links).where(links.c.token_hash == link.token_hash).values(values)
            )
            if not changed.rowcount:
                connection.execute(insert(links).values(values))

    def find(self, token_hash: str) -> StoredLink | None:
        """The link of this hash; None where there is none."""
        with reading(self._engine) as connection:
            row = connection.execute(select(links).where(links.c.token_hash == token_hash)).first()
        return None if row is None else _stored(row)

    def forget(self, before_s: float) -> None:
        """Remove the links that expired before a moment, in seconds since 1970."""
        with writing(self._engine) as connection:
            connection.execute(delete(links).where(links.c.expires_ms < to_ms(before_s)))

    def whole(self, after_s: float) -> list[StoredLink]:
        """The links that were stored whole and expire after a moment, the oldest first."""
        chosen = select(links).where(links.c.link.is_not(None), links.c.expires_ms > to_ms(after_s))
        with reading(self._engine) as connection:
            return [_stored(row) for row in connection.execute(chosen.order_by(links.c.created_ms))]


def _stored(row: Any) -> StoredLink:
    link = None if row.link is None else Link(**json.loads(row.link))
    return StoredLink(row.token_hash, row.created_ms / 1000, row.expires_ms / 1000, row.ended, link)

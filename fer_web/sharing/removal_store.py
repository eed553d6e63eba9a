"""Remembers which visitors the host removed, in the history's database."""

from sqlalchemy import Engine, delete, insert, select, update

from fer_web.storage.database import reading, writing
from fer_web.storage.schema import removed_visitors
from fer_web.storage.times import to_ms


class DatabaseRemovalStore:
    """The table of removed visitors. Its verbs block, and each raises DatabaseError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, visitor_id: str, removed_s: float) -> None:
        """Store that a visitor was removed."""
        with writing(self._engine) as connection:
            values = {"visitor": visitor_id, "removed_ms": to_ms(removed_s)}
            known = removed_visitors.c.visitor == visitor_id
            if not connection.execute(update(removed_visitors).where(known).values(values)).rowcount:
                connection.execute(insert(removed_visitors).values(values))

    def since(self, after_s: float) -> list[tuple[str, float]]:
        """The visitors that were removed after a moment, each with when, in seconds since 1970."""
        chosen = select(removed_visitors).where(removed_visitors.c.removed_ms > to_ms(after_s))
        with reading(self._engine) as connection:
            rows = connection.execute(chosen.order_by(removed_visitors.c.removed_ms)).all()
        return [(row.visitor, row.removed_ms / 1000) for row in rows]

    def forget(self, before_s: float) -> None:
        """Remove those that were removed before a moment."""
        with writing(self._engine) as connection:
            connection.execute(
                delete(removed_visitors).where(removed_visitors.c.removed_ms < to_ms(before_s))
            )

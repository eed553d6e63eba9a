"""Removes sessions for good, in portions: nobody waits for long, and a full disk needs little room for it."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, Engine, delete, select, update

from fer_web.storage.database import reading, writing
from fer_web.storage.schema import samples, sessions

_T = TypeVar("_T")

SAMPLES_AT_ONCE = 20_000
"""Samples that one transaction removes: 2 MB, which are overwritten and so go through the database's log."""

GONE_MS = 0
"""`deleted_ms` of a session that is being removed: it cannot be restored any more."""


class Persist(Protocol):
    """Calls a transaction, and again where it made room on a full disk."""

    def __call__(self, transaction: Callable[[], _T], /) -> _T:
        """Return what the transaction returns."""
        ...


def remove_sessions(engine: Engine, gone: ColumnElement[bool], persist: Persist) -> int:
    """Remove what `gone` says of sessions; returns how many.

    Raises: DatabaseError: the rest stays hidden, and is removed by a later call.
    """
    with reading(engine) as connection:
        keys = connection.execute(select(sessions.c.key).where(gone)).scalars().all()
    return sum(_remove(engine, key, gone, persist) for key in keys)


def _remove(engine: Engine, key: int, gone: ColumnElement[bool], persist: Persist) -> int:
    here = sessions.c.key == key

    def hide() -> int:
        with writing(engine) as connection:
            change = update(sessions).where(here, gone).values(deleted_ms=GONE_MS, state="finished")
            return int(connection.execute(change).rowcount)

    def remove_some() -> bool:
        of_session = samples.c.session == key
        with writing(engine) as connection:
            order = select(samples.c.at_ms).where(of_session).order_by(samples.c.at_ms)
            last_ms = connection.execute(order.offset(SAMPLES_AT_ONCE).limit(1)).scalar()
            if last_ms is not None:
                connection.execute(delete(samples).where(of_session, samples.c.at_ms <= last_ms))
                return True
            connection.execute(delete(sessions).where(here, sessions.c.deleted_ms == GONE_MS))
            return False

    if not persist(hide):  # restored this moment
        return 0
    while persist(remove_some):
        pass
    return 1

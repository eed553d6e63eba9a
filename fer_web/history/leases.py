"""Tells which running sessions a server still records: each server vouches for its own, for a while."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select, text, update

from fer_web.history.writing import close_session
from fer_web.storage.schema import sessions
from fer_web.storage.times import epoch_ms, to_ms

LEASE_S = 60.0
"""A running session without a word from its server for so long counts as interrupted."""

RENEW_S = 15.0
"""Seconds between two renewals: a lease outlives three that fail."""

Now = Callable[[], datetime.datetime]


def running(connection: Connection, now: Now) -> dict[str, Any]:
    """Columns of a session that this server records."""
    return {"state": "running", "lease_ms": _now_ms(connection, now) + to_ms(LEASE_S)}


def renew(connection: Connection, session_ids: Sequence[str], now: Now) -> None:
    """Vouch for sessions. One that was finished or deleted meanwhile stays so."""
    own = sessions.c.id.in_(session_ids) & sessions.c.state.in_(("running", "interrupted"))
    connection.execute(
        update(sessions).where(own, sessions.c.deleted_ms.is_(None)).values(running(connection, now))
    )


def lease_is_over(connection: Connection, now: Now) -> ColumnElement[bool]:
    """The sessions that run by their state, and that no server vouches for any more.

    A lease that ends later than any can was given by a clock that has been set back since.
    """
    now_ms = _now_ms(connection, now)
    lease = sessions.c.lease_ms
    is_over = or_(lease.is_(None), lease < now_ms, lease > now_ms + 2 * to_ms(LEASE_S))
    # An import that is under way is hidden as if it were deleted, and looks after itself.
    return (sessions.c.state == "running") & sessions.c.deleted_ms.is_(None) & is_over


def interrupt(connection: Connection, which: ColumnElement[bool]) -> int:
    """Close sessions, each with its last sample; returns how many."""
    keys = connection.execute(select(sessions.c.key).where(which).with_for_update()).scalars().all()
    for key in keys:
        close_session(connection, key, "interrupted", 0)
    return len(keys)


def _now_ms(connection: Connection, now: Now) -> int:
    """Servers on several machines may share PostgreSQL: one clock for all, which is its own."""
    if connection.dialect.name != "postgresql":
        return epoch_ms(now())
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")).scalar_one())

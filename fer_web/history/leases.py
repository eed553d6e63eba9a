"""Tells which running sessions a server still records: each server vouches for its own, for a while.

The holder of a session is the server that records it. It alone writes to it and finishes it, until it lets go
or another server takes the session over, because its client has come there.
"""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from fer_web.errors import RecordingStoppedError
from fer_web.history.writing import close_session
from fer_web.storage.schema import sessions
from fer_web.storage.times import database_now_ms, to_ms

LEASE_S = 60.0
"""A running session without a word from its server for so long counts as interrupted."""

RENEW_S = 15.0
"""Seconds between two renewals: a lease outlives three that fail."""

LET_GO_S = 15.0
"""A session that was let go of is finished when its client has not come to any server within this."""

Now = Callable[[], datetime.datetime]


def running(connection: Connection, holder: str, now: Now) -> dict[str, Any]:
    """Columns of a session that this server records."""
    return {
        "state": "running",
        "lease_ms": database_now_ms(connection, now) + to_ms(LEASE_S),
        "holder": holder,
    }


def let_go(connection: Connection, now: Now) -> dict[str, Any]:
    """Columns of a session that no server records now, and whose client may come to any."""
    return {"lease_ms": database_now_ms(connection, now) + to_ms(LET_GO_S), "holder": None}


def check_holder(row: Row[Any], holder: str) -> None:
    """Raises RecordingStoppedError: this session is another server's by now, or nobody's."""
    if row.holder != holder:
        raise RecordingStoppedError("This recording has ended here: it goes on over another connection.")


def is_held_elsewhere(connection: Connection, row: Row[Any], holder: str, now: Now) -> bool:
    """Tell whether another server vouches that it records this session."""
    is_held = row.state == "running" and row.holder not in (None, holder)
    return is_held and row.lease_ms is not None and row.lease_ms > database_now_ms(connection, now)


def renew(connection: Connection, session_ids: Sequence[str], holder: str, now: Now) -> None:
    """Vouch for sessions. One that was finished, deleted or taken over meanwhile stays so."""
    own = sessions.c.id.in_(session_ids) & (sessions.c.holder == holder)
    is_open = sessions.c.state.in_(("running", "interrupted")) & sessions.c.deleted_ms.is_(None)
    connection.execute(update(sessions).where(own, is_open).values(running(connection, holder, now)))


def lease_is_over(connection: Connection, now: Now) -> ColumnElement[bool]:
    """The sessions that run by their state, and that no server vouches for any more.

    A lease that ends later than any can was given by a clock that has been set back since.
    """
    now_ms = database_now_ms(connection, now)
    lease = sessions.c.lease_ms
    is_over = or_(lease.is_(None), lease < now_ms, lease > now_ms + 2 * to_ms(LEASE_S))
    # An import that is under way is hidden as if it were deleted, and looks after itself.
    return (sessions.c.state == "running") & sessions.c.deleted_ms.is_(None) & is_over


def interrupt(connection: Connection, which: ColumnElement[bool]) -> int:
    """Close sessions, each with its last sample; returns how many. Those that were let go of are finished."""
    rows = connection.execute(select(sessions.c.key, sessions.c.holder).where(which).with_for_update()).all()
    for row in rows:
        close_session(connection, row.key, "finished" if row.holder is None else "interrupted", 0)
    return len(rows)

"""Times as the database stores them: whole milliseconds, UTC."""

import datetime
from collections.abc import Callable

from sqlalchemy import Connection, text

from fer_web.errors import InvalidValueError


def to_ms(seconds: float) -> int:
    """Whole milliseconds: how times are stored."""
    return round(seconds * 1000)


def epoch_ms(moment: datetime.datetime) -> int:
    """Milliseconds since 1970 of a moment with a time zone."""
    if moment.tzinfo is None:
        raise InvalidValueError(f"The time {moment.isoformat()} has no time zone. Give it one: UTC is Z.")
    return to_ms(moment.timestamp())


def utc_of(milliseconds: int) -> datetime.datetime:
    """The UTC moment, to the millisecond."""
    return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(milliseconds=milliseconds)


def database_now_ms(connection: Connection, now: Callable[[], datetime.datetime]) -> int:
    """Milliseconds since 1970, by PostgreSQL's clock where several machines may share it."""
    if connection.dialect.name != "postgresql":
        return epoch_ms(now())
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")).scalar_one())

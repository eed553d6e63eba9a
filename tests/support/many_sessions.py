"""So many sessions that one by one would take minutes."""

from sqlalchemy import insert, select

from fer_web.history.writing import close_session, insert_session
from fer_web.storage.database import writing
from fer_web.storage.schema import sessions, tags


def fill(history, new, count, minutes=1):
    """Copies of a session without samples, `minutes` apart, with numbered names and one of 20 tags."""
    with writing(history._engine) as connection:
        key = insert_session(connection, "first", new)
        close_session(connection, key, "finished", 60_000)
        first = connection.execute(select(sessions).where(sessions.c.key == key)).one()._asdict()
        connection.execute(
            insert(sessions),
            [
                {
                    **first,
                    "key": key + number,
                    "id": f"id{number}",
                    "name": f"{new.name} {number}",
                    "search": f"{new.name} {number}".casefold(),
                    "started_ms": first["started_ms"] - number * minutes * 60_000,
                }
                for number in range(1, count)
            ],
        )
        rows = [{"session": key + i, "tag": f"tag {i % 20}", "position": 0} for i in range(1, count)]
        connection.execute(insert(tags), rows)

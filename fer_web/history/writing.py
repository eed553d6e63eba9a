"""Parts of the transactions that repository.py makes."""

import datetime
import json
import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from fer_web.errors import InvalidValueError
from fer_web.history.rows import STRIP_PARTS, search_text, strip_of
from fer_web.history.session_texts import check_marker_text, check_name, check_notes, check_tags
from fer_web.history.types import Marker, NewSession, Sample, Session, SessionState
from fer_web.storage.schema import faces, markers, samples, sessions, tags
from fer_web.storage.texts import check_text
from fer_web.storage.times import epoch_ms, to_ms

MAX_AT_S = 366 * 86400.0
"""No session is longer than a year."""

MIN_SAMPLE_HZ, MAX_SAMPLE_HZ = 0.01, 1000.0
MAX_SETTINGS = 20_000
"""Characters of a session's settings as JSON: they are read with each look at the session."""


def new_session_id() -> str:
    """Unguessable; without dashes, with which options of a command line and formulas begin."""
    return secrets.token_hex(12)


def text_columns(name: str, notes: str, tags: Sequence[str]) -> dict[str, str]:
    """Columns of what people write. Raises InvalidValueError."""
    name, notes, tags = check_name(name), check_notes(notes), check_tags(tags)
    return {"name": name, "notes": notes, "search": search_text(name, notes, tags)}


def as_new_session(session: Session, owner: str) -> NewSession:
    """Return an exported session as it was when it began. Raises InvalidValueError."""
    return NewSession(
        owner=owner,
        name=session.name,
        started_at=session.started_at,
        model_name=session.model_name,
        model_hash=session.model_hash,
        sample_hz=session.sample_hz,
        settings=session.settings,
        source=session.source,
    )


def insert_session(
    connection: Connection,
    session_id: str,
    new: NewSession,
    *,
    notes: str = "",
    tags: Sequence[str] = (),
    kept_from: datetime.datetime | None = None,
) -> int:
    """A running session without samples; returns its key. Raises InvalidValueError.

    Args: kept_from: from when on its age counts; its start by default.
    """
    if not MIN_SAMPLE_HZ <= new.sample_hz <= MAX_SAMPLE_HZ:
        raise InvalidValueError(
            f"The sample rate is {new.sample_hz}; allowed: {MIN_SAMPLE_HZ} to {MAX_SAMPLE_HZ:.0f}."
        )
    values = {
        **text_columns(new.name, notes, tags),
        "id": session_id,
        "owner": new.owner,
        "state": "running",
        "source": check_text("source", new.source, 32),
        "started_ms": epoch_ms(new.started_at),
        "kept_from_ms": epoch_ms(kept_from or new.started_at),
        "length_ms": 0,
        "faces": 0,
        "samples": 0,
        "strip": "",
        "model_name": check_text("model name", new.model_name, 200),
        "model_hash": check_text("model hash", new.model_hash, 200),
        "sample_hz": new.sample_hz,
        "settings": _settings_text(new.settings),
    }
    connection.execute(insert(sessions).values(values))
    query = select(sessions.c.key).where(sessions.c.id == session_id)
    key = int(connection.execute(query).scalar_one())
    replace_tags(connection, key, check_tags(tags))
    return key


def is_stored(connection: Connection, session_id: str) -> bool:
    """Tell whether a session is there, or was and is deleted: the answer to a commit may have been lost."""
    return connection.execute(select(sessions.c.key).where(sessions.c.id == session_id)).first() is not None


def store_settings(connection: Connection, key: int, settings: dict[str, Any]) -> None:
    """Replace the settings of the session with this key. Raises InvalidValueError."""
    change = update(sessions).where(sessions.c.key == key)
    connection.execute(change.values(settings=_settings_text(settings)))


def _settings_text(settings: dict[str, Any]) -> str:
    try:
        text = json.dumps(settings, allow_nan=False)
    except ValueError as exc:
        raise InvalidValueError("The settings hold a number that is none. Leave it out.") from exc
    if len(text) > MAX_SETTINGS:
        raise InvalidValueError(
            f"The settings have {len(text)} characters as JSON; {MAX_SETTINGS} are allowed."
        )
    return text


def check_at_s(at_s: float) -> float:
    """A time since the start, to the millisecond. Raises InvalidValueError."""
    if not 0 <= at_s <= MAX_AT_S:
        raise InvalidValueError(f"The time is {at_s} seconds; allowed: 0 to {MAX_AT_S:.0f}.")
    return round(float(at_s), 3)


def insert_marker(connection: Connection, key: int, at_s: float, text: str) -> Marker:
    """Add a marker to a session. Raises InvalidValueError."""
    marker = Marker(secrets.token_urlsafe(9), check_at_s(at_s), check_marker_text(text))
    values = {"id": marker.id, "session": key, "at_ms": to_ms(marker.at_s), "text": marker.text}
    connection.execute(insert(markers).values(values))
    return marker


def replace_tags(connection: Connection, key: int, values: Sequence[str]) -> None:
    """Give a session these tags, which were checked, and no others."""
    connection.execute(delete(tags).where(tags.c.session == key))
    if values:
        rows = [{"session": key, "tag": tag, "position": i} for i, tag in enumerate(values)]
        connection.execute(insert(tags), rows)


def has_sample(connection: Connection, key: int, sample: Sample) -> bool:
    """Tell whether the session has this face at this time."""
    here = (
        (samples.c.session == key) & (samples.c.at_ms == to_ms(sample.at_s)) & (samples.c.face == sample.face)
    )
    return connection.execute(select(samples.c.face).where(here)).first() is not None


def insert_samples(
    connection: Connection, session: Row[Any], rows: list[dict[str, Any]], **columns: Any
) -> int:
    """Insert rows and count them in their faces and their session; returns how many samples it has now.

    Args: session: its row, read in this transaction. columns: what else changes in it.
    """
    if not rows:
        return int(session.samples)
    connection.execute(insert(samples), rows)
    new_faces = _count_faces(connection, session.key, rows)
    total = int(session.samples) + len(rows)
    values = {
        **columns,
        "samples": total,
        "faces": session.faces + new_faces,
        "length_ms": max(session.length_ms, max(row["at_ms"] for row in rows)),
    }
    connection.execute(update(sessions).where(sessions.c.key == session.key).values(values))
    return total


def _count_faces(connection: Connection, key: int, rows: list[dict[str, Any]]) -> int:
    """Count rows in the faces that they show; returns how many faces are new."""
    times_ms: dict[int, list[int]] = {}
    for row in rows:
        times_ms.setdefault(row["face"], []).append(row["at_ms"])
    query = select(faces).where(faces.c.session == key, faces.c.face.in_(times_ms))
    known = {row.face: row for row in connection.execute(query)}
    new = [
        {"session": key, "face": face, "first_ms": min(at), "last_ms": max(at), "samples": len(at)}
        for face, at in times_ms.items()
        if face not in known
    ]
    changed = [
        {
            "of_face": face,
            "first_ms": min(known[face].first_ms, *at),
            "last_ms": max(known[face].last_ms, *at),
            "samples": known[face].samples + len(at),
        }
        for face, at in times_ms.items()
        if face in known
    ]
    if new:
        connection.execute(insert(faces), new)
    if changed:
        here = (faces.c.session == key) & (faces.c.face == bindparam("of_face"))
        connection.execute(update(faces).where(here), changed)
    return len(new)


def close_session(connection: Connection, key: int, state: SessionState, length_ms: int) -> None:
    """End a session: its length reaches to its last sample at least, and its strip is made."""
    row = connection.execute(select(sessions.c.length_ms).where(sessions.c.key == key)).one()
    length_ms = max(length_ms, row.length_ms)
    part = samples.c.at_ms * STRIP_PARTS // (length_ms + 1)
    counts = connection.execute(
        select(part, samples.c.label, samples.c.is_sure, func.count())
        .where(samples.c.session == key)
        .group_by(part, samples.c.label, samples.c.is_sure)
    )
    values = {"state": state, "length_ms": length_ms, "strip": strip_of(tuple(row) for row in counts)}
    connection.execute(update(sessions).where(sessions.c.key == key).values(values))

"""Checks what people write about a session, and never cuts it silently."""

from collections.abc import Sequence

from fer_web.errors import InvalidValueError
from fer_web.storage.texts import check_text

MAX_NAME = 200
MAX_NOTES = 10_000
MAX_TAG = 50
MAX_TAGS = 20
MAX_MARKER_TEXT = 500
MAX_MARKERS = 1000
MAX_PERSON_NAME = 80
MAX_PEOPLE = 1000
MAX_SEARCH = 200


def check_name(value: object) -> str:
    """A session's name; may be empty."""
    return check_text("name", value, MAX_NAME)


def check_notes(value: object) -> str:
    """A session's notes; may be empty and have lines."""
    return check_text("notes", value, MAX_NOTES, may_break_lines=True)


def check_marker_text(value: object) -> str:
    """Check what a marker says; it may be empty."""
    return check_text("marker text", value, MAX_MARKER_TEXT)


def check_person_name(value: object) -> str:
    """What a person is called; empty takes the name away."""
    return check_text("name of a person", value, MAX_PERSON_NAME)


def check_tags(values: object) -> tuple[str, ...]:
    """A session's tags: none empty, none twice, in the order given."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise InvalidValueError(f"The tags must be a list of texts; {type(values).__name__} came.")
    if len(values) > MAX_TAGS:
        raise InvalidValueError(f"{len(values)} tags came; {MAX_TAGS} are allowed. Remove some.")
    tags = tuple(dict.fromkeys(check_text("tag", value, MAX_TAG) for value in values))
    if "" in tags:
        raise InvalidValueError("A tag is empty. Write something or remove it.")
    return tags

"""Text that people write into the database: checked, and never cut silently."""

import unicodedata

from fer_web.errors import InvalidValueError

_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates (Unicode UAX #9) turn around what stands after a name.

The marks U+200E and U+200F, which writing from right to left needs, are allowed."""


def check_text(what: str, value: object, max_length: int, *, may_break_lines: bool = False) -> str:
    """The text without spaces around it.

    Raises: InvalidValueError: no text, too long, or with control characters.
    """
    if not isinstance(value, str):
        raise InvalidValueError(f"The {what} must be text; {type(value).__name__} came.")
    text = value.replace("\r\n", "\n").strip() if may_break_lines else value.strip()
    if len(text) > max_length:
        raise InvalidValueError(
            f"The {what} has {len(text)} characters; {max_length} are allowed. Shorten it."
        )
    allowed = "\n\t" if may_break_lines else ""
    for character in text:
        is_control = unicodedata.category(character) in ("Cc", "Cs") or character in _DIRECTIONS
        if is_control and character not in allowed:
            raise InvalidValueError(
                f"The {what} holds the control character U+{ord(character):04X}. Leave it out."
            )
    return text

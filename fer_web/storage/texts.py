"""Text that people write into the database: checked, and never cut silently."""

import unicodedata

from fer_web.errors import InvalidValueError


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
        if character not in allowed and unicodedata.category(character) in ("Cc", "Cs"):
            raise InvalidValueError(
                f"The {what} holds the control character U+{ord(character):04X}. Leave it out."
            )
    return text

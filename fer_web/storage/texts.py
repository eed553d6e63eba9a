"""Text that people write into the database: checked, and never cut silently."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from fer_web.errors import InvalidValueError

_UNSEEN_CATEGORIES: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Controls, formats, halves of pairs, separators of lines. Formats that turn the direction of writing (UAX
#9) make a name read as another one; those of no width make two names that look the same."""

_UNSEEN_LETTERS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u2800\u3164\uffa0"
    "\ufff0\ufff1\ufff2\ufff3\ufff4\ufff5\ufff6\ufff7\ufff8"
)
"""Letters, marks and empty places that are drawn as nothing (Unicode: Default_Ignorable_Code_Point)."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""Between two characters they are needed: for words of Persian and Hindi, and emoji of several parts."""

_DIRECTION_MARKS: Final = frozenset("\u061c\u200e\u200f")
"""Writing from right to left may need them in longer texts; a name is one line, which the page isolates."""


def check_text(what: str, value: object, max_length: int, *, may_break_lines: bool = False) -> str:
    """The text without spaces around it.

    Args: may_break_lines: for notes, which may have marks of direction too.
    Raises: InvalidValueError: no text, too long, or with characters that nobody sees.
    """
    if not isinstance(value, str):
        raise InvalidValueError(f"The {what} must be text; {type(value).__name__} came.")
    text = value.replace("\r\n", "\n").strip() if may_break_lines else value.strip()
    if len(text) > max_length:
        raise InvalidValueError(
            f"The {what} has {len(text)} characters; {max_length} are allowed. Shorten it."
        )
    allowed = {"\n", "\t", *_DIRECTION_MARKS} if may_break_lines else set()
    for character in _unseen(text):
        if character not in allowed:
            raise InvalidValueError(
                f"The {what} holds the control character U+{ord(character):04X}. Leave it out."
            )
    return text


def without_unseen(text: str) -> str:
    """One line without what `check_text` refuses: for names that no person typed, such as those of files."""
    while unseen := set(_unseen(text)):
        text = "".join(character for character in text if character not in unseen)
    return text


def _unseen(text: str) -> Iterator[str]:
    """Characters that are not seen, but for joiners and selectors at the places that they are made for."""
    for before, character, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if character in _JOINERS:
            is_placed = (_is_shown(before) or _is_selector(before)) and _is_shown(after)
        elif _is_selector(character):
            is_placed = _is_shown(before)
        else:
            is_placed = character.isspace() or _is_shown(character)
        if not is_placed or unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            yield character


def _is_shown(character: str) -> bool:
    is_unseen = unicodedata.category(character) in _UNSEEN_CATEGORIES or character in _UNSEEN_LETTERS
    return not (is_unseen or character.isspace() or _is_selector(character) or _is_ignorable(character))


def _is_selector(character: str) -> bool:
    """Tell whether it chooses a form of the character before it: an emoji's, or a Japanese family name's."""
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_ignorable(character: str) -> bool:
    """Tell whether it is of the plane whose tags can spell a text that nobody sees."""
    return "\U000e0000" <= character <= "\U000e0fff"

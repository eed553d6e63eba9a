"""Names of files as clients send them are made harmless here."""

import re
import unicodedata
from typing import Final

from fer_web.storage.texts import without_unseen

MAX_FILE_NAME: Final = 200
_NOT_SHOWN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Control and format characters, such as those that turn the direction of writing; halves of pairs."""


def clean_file_name(text: str | None) -> str:
    """The last part of a path, as one line that can be stored and shown; "" where nothing is left.

    It is for people alone: no file is ever opened or made by such a name.
    """
    last = re.split(r"[/\\]", (text or "")[:10_000])[-1]
    shown = "".join(letter for letter in last if unicodedata.category(letter) not in _NOT_SHOWN)
    return without_unseen(" ".join(shown.split()))[:MAX_FILE_NAME].strip()


def plain_file_name(name: str, suffix: str) -> str:
    """A name for a download that every system takes: ASCII letters, digits and dashes of `name`."""
    stem = name.rsplit(".", 1)[0]
    return (re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-")[:80] or "video") + suffix

"""Text that is safe in the cells of CSV and tab-separated files."""

import re

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Spreadsheets of East Asian languages take the wide forms too."""


def neutral_text(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula (CWE-1236)."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def plain_text(text: str) -> str:
    """The text of a cell without the apostrophe that `neutral_text` put before it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text


def csv_cell(text: str) -> str:
    """A text cell of a CSV file: neutralised, quoted where needed (RFC 4180)."""
    safe = neutral_text(text)
    return '"' + safe.replace('"', '""') + '"' if re.search('[",\r\n]', safe) else safe


def tab_cell(text: str) -> str:
    """A text cell of a tab-separated file, which has no quotes: neutralised, on one line."""
    return re.sub(r"[\t\r\n]+", " ", neutral_text(text))

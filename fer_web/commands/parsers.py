"""Holds what the parsers of all tools have in common."""

import argparse
from collections.abc import Callable
from typing import Any


def parser_with_examples(build: Callable[..., Any], *args: Any, epilog: str, **kwargs: Any) -> Any:
    """A parser whose help ends with examples as they are; its description is `help` unless given."""
    if "description" not in kwargs:
        help_text = kwargs["help"]
        kwargs["description"] = f"{help_text[0].upper()}{help_text[1:]}."
    return build(*args, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)


def number_in(low: int, high: int) -> Callable[[str], int]:
    """The type of an option that takes a whole number within limits."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    return convert

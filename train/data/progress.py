"""Show on stderr how far a long reading is: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import track

Watch = Callable[[Iterable[Any], str, int | None], Iterable[Any]]
"""It passes items on and shows how many there were, given what they are and their total."""


def unwatched(items: Iterable[Any], what: str, total: int | None) -> Iterable[Any]:
    """Pass the items on without a word."""
    return items


def watch(items: Iterable[Any], what: str, total: int | None) -> Iterable[Any]:
    """Pass the items on with a bar on a terminal, else with a line before and one after them."""
    console = Console(stderr=True)
    if console.is_terminal:
        return track(items, f"reading {what}", total=total, console=console, transient=True)
    return _with_lines(items, what)


def _with_lines(items: Iterable[Any], what: str) -> Iterator[Any]:
    started_s, count = time.monotonic(), 0
    print(f"reading {what}", file=sys.stderr, flush=True)
    for item in items:
        count += 1
        yield item
    seconds = time.monotonic() - started_s
    print(f"{what}: {count} read in {seconds:.1f} s", file=sys.stderr, flush=True)

"""Ctrl-C where Python alone would lose it, or where it would come at a bad time; on the main thread only."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn


@contextlib.contextmanager
def interrupt_kept() -> Iterator[Callable[[], None]]:
    """Within this, what is yielded raises KeyboardInterrupt if there was a Ctrl-C.

    Ctrl-C raises KeyboardInterrupt at once, as always. Python drops an exception that meets it in the
    midst of a finalizer or a callback from C, and goes on; long work calls what is yielded again and again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    came: list[int] = []

    def note(number: int, _frame: object) -> NoReturn:
        came.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def interrupt_waits() -> Iterator[None]:
    """Ctrl-C within this comes at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        # To the handler from before, which may keep count of it.
        signal.raise_signal(signal.SIGINT)

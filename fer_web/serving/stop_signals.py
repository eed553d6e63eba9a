"""Ends the server by signals: the first closes it, later ones do nothing, and closing has a deadline."""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

CLOSE_TIMEOUT_S = 20.0
"""A server that was told to end and has not is ended by force: what closing waits for takes 12 s at most."""

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


def stop_on_signals() -> None:
    """From now on, the first signal raises KeyboardInterrupt in the main thread; later ones do nothing.

    SIGHUP is left alone where it is ignored already: so does nohup.
    """
    _handle(_stop)


def begin_to_close(end: Callable[[int], object] = os._exit) -> None:
    """The server closes: signals do nothing any more, and after CLOSE_TIMEOUT_S the process ends anyway.

    Args: end: takes the exit status.
    """
    _handle(_do_nothing)
    with _deadline_lock:
        if not _deadlines:
            _deadlines.append(threading.Thread(target=_end_late, args=(end,), daemon=True))
            _deadlines[0].start()


def is_closing() -> bool:
    """Tell whether the server was told to end."""
    return bool(_deadlines)


@contextlib.contextmanager
def signals_as_data() -> Iterator[socket.socket]:
    """Within this, signals make a socket readable and do nothing else; after it, they do nothing at all.

    As an exception, a signal would be raised in whichever green thread runs at that moment, and be swallowed
    where that one catches everything, as Engine.IO's readers do: the server would go on.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    # Before the handlers: a signal between the two would be lost.
    wakeup_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        _handle(_do_nothing)
        yield reader
    finally:
        signal.set_wakeup_fd(wakeup_fd)
        reader.close()
        writer.close()


_deadlines: list[threading.Thread] = []
_deadline_lock = threading.Lock()


def _handle(handler: Callable[[int, object], object]) -> None:
    for number in _SIGNALS:
        # Not SIG_IGN: of a signal that has come this moment, Python would print that it was lost.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _stop(_number: int, _frame: object) -> NoReturn:
    begin_to_close()
    raise KeyboardInterrupt


def _do_nothing(_number: int, _frame: object) -> None:
    return


def _end_late(end: Callable[[int], object]) -> None:
    threading.Event().wait(CLOSE_TIMEOUT_S)
    print(
        f"fer-web did not close within {CLOSE_TIMEOUT_S:.0f} s and was ended. What was saved is safe.",
        file=sys.stderr,
        flush=True,
    )
    end(1)

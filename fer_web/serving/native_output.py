"""Lines that C libraries write to standard error go through the log: bounded in rate, with a time."""

import contextlib
import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

_log = logging.getLogger("native")

_MAX_LINE = 500
"""Bytes of a line that are kept: one without an end fills no memory."""


@contextlib.contextmanager
def native_output_logged() -> Iterator[TextIO]:
    """Within this, what is written to file 2 is logged as warnings of the logger "native".

    Yields: a stream to the real standard error, for the log itself. A crash's report goes there directly.
    """
    sys.stderr.flush()
    real = os.dup(2)
    reader, writer = os.pipe()
    # A library may hold Python's lock while it writes, and then nobody could read: what is too much is lost.
    os.set_blocking(writer, False)
    os.dup2(writer, 2)
    os.close(writer)
    stream = os.fdopen(real, "w", encoding="utf-8", errors="replace", buffering=1)
    python_stderr, sys.stderr = sys.stderr, stream  # tracebacks of Python keep their form
    if faulthandler.is_enabled():
        faulthandler.enable(stream)
    thread = threading.Thread(target=_log_lines, args=(reader,), name="native-output", daemon=True)
    thread.start()
    try:
        yield stream
    finally:
        os.dup2(real, 2)  # the pipe's last writer is gone: the thread ends
        thread.join(1.0)
        sys.stderr = python_stderr
        if faulthandler.is_enabled():
            faulthandler.enable(sys.stderr)
        # `stream` stays open: threads that still end may log.


def _log_lines(reader: int) -> None:
    rest = b""
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while part := pipe.read(65536):
            *lines, rest = (rest + part).split(b"\n")
            rest = rest[:_MAX_LINE]
            for line in lines:
                _tell(line)
    _tell(rest)


def _tell(line: bytes) -> None:
    if text := line[:_MAX_LINE].decode("utf-8", "replace").strip():
        # TensorFlow Lite says so what it does; most others say nothing unless something is wrong.
        _log.log(logging.INFO if text.startswith("INFO") else logging.WARNING, "%s", text)

"""The head of a request, which must come within a time and a size."""

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final

HEAD_TIMEOUT_S: Final = 20.0
"""The whole head of a request may take this long from its first byte on."""

MAX_HEAD_BYTES: Final = 65_536
"""All headers of a request together."""


class PacedHead:
    """A connection's buffered file, whose lines belong to a request's head between `begin` and `end`.

    The file's own `readline` waits anew for each byte: one now and then holds a place for ever. And servers
    bound each line of a head and their number, not what they make together.
    """

    def __init__(self, file: Any, connection: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: connection: the socket, whose timeout is set. clock: seconds."""
        self._file, self._connection, self._clock = file, connection, clock
        self._is_head = False
        self._idle_s: float | None = None
        self._until_s: float | None = None
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def begin(self) -> None:
        """A request's head follows, at some time."""
        self._is_head, self._until_s, self._size = True, None, 0

    def end(self) -> None:
        """The head is there: what follows is read as before."""
        self._is_head = False
        if self._until_s is not None:
            self._connection.settimeout(self._idle_s)

    def readline(self, size: int = -1) -> bytes:
        """A line. Raises TimeoutError; HTTPException: the head is too long, which is answered with 431."""
        if not self._is_head:
            whole: bytes = self._file.readline(size)
            return whole
        is_first = self._size == 0
        line = self._read_line(size)
        if not is_first:
            self._size += len(line)
        elif line:
            self._size = 1  # the request's own line has a bound of its own
        if self._size > MAX_HEAD_BYTES:
            raise HTTPException(f"The headers have more than {MAX_HEAD_BYTES} bytes.")
        return line

    def _read_line(self, size: int) -> bytes:
        line = bytearray()
        while size < 0 or len(line) < size:
            self._check_time()
            came = self._file.peek(1)
            if not came:
                break
            self._begin_time()
            length = came.find(b"\n") + 1 or len(came)
            # No more than is there already: this waits for nothing.
            line += self._file.read(length if size < 0 else min(length, size - len(line)))
            if line.endswith(b"\n"):
                break
        return bytes(line)

    def _begin_time(self) -> None:
        if self._until_s is None:
            self._until_s = self._clock() + HEAD_TIMEOUT_S
            self._idle_s = self._connection.gettimeout()

    def _check_time(self) -> None:
        if self._until_s is None:
            return
        left_s = self._until_s - self._clock()
        if left_s <= 0:
            raise TimeoutError(f"The head of a request did not come within {HEAD_TIMEOUT_S:.0f} s.")
        self._connection.settimeout(left_s)

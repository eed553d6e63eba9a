"""The body of a request, which must come at some pace."""

import time
from collections.abc import Callable
from typing import Any, Final

from fer_web.errors import SlowUploadError

MIN_BYTES_PER_S: Final = 20_000
"""A slower client, on average, holds a slot that others wait for."""

GRACE_S: Final = 60.0


class PacedInput:
    """A connection's buffered file, as far as one request's body reads it.

    The file's own `read` waits until all is there that was asked for, and each byte that comes puts off its
    timeout: a client that sends one now and then would be waited for during weeks.
    """

    def __init__(self, file: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: clock: seconds."""
        self._file, self._clock, self._started_s = file, clock, clock()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        """Read this many bytes, or all until the end. Raises SlowUploadError, OSError."""
        parts: list[bytes] = []
        while size and (part := self._file.read1(size)):
            parts.append(part)
            size -= len(part) if size > 0 else 0
            self._check(len(part))
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        """A line. Bodies of ours have none, but a server may look for one."""
        line: bytes = self._file.readline(size)
        return line

    def _check(self, size: int) -> None:
        self._size += size
        past_s = self._clock() - self._started_s
        if past_s > GRACE_S and self._size < past_s * MIN_BYTES_PER_S:
            raise SlowUploadError(
                f"{self._size} bytes came in {past_s:.0f} s, and {MIN_BYTES_PER_S} a second are needed. Send "
                "it over a faster connection."
            )

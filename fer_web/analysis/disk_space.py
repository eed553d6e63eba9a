"""A full disk, told as an error that says what to do."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Final

from fer_web.errors import DiskFullError, FerWebError

FULL_DISK: Final = "The server's disk is full. Free some space there, and send the file again."


def is_full(exc: OSError) -> bool:
    """Tell whether a write failed because the disk, or one user's share of it, is full."""
    return exc.errno in (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def full_disk_told(text: str = FULL_DISK, error: type[FerWebError] = DiskFullError) -> Iterator[None]:
    """Raise `error` with this text where a write within the block fails because the disk is full."""
    try:
        yield
    except OSError as exc:
        if not is_full(exc):
            raise
        raise error(text) from exc

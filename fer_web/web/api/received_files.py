"""A small file that comes with a request: kept in memory, or in a temporary file that nobody sees."""

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from fer_web.errors import DiskFullError
from fer_web.web.api.form_files import Source, receive

_KEPT_IN_MEMORY_BYTES = 1_000_000


@dataclass(frozen=True)
class Upload:
    """A file that came. `file`: at its start; `name`: fit to be shown, None where none came."""

    file: IO[bytes]
    name: str | None


@contextlib.contextmanager
def received_file(source: Source) -> Iterator[Upload]:
    """The current request's file, for the time of a with block.

    Raises: what `receive` raises. DiskFullError: the disk is full.
    """
    with _SpooledFile(_KEPT_IN_MEMORY_BYTES) as file:
        with _full_disk_told():
            name = receive(source, file)
        yield Upload(cast(IO[bytes], file), name or None)


class _SpooledFile(tempfile.SpooledTemporaryFile[bytes]):
    """Goes back to its start when it has all bytes, to be read."""

    def finish(self) -> None:
        self.seek(0)

    def write(self, data: Any) -> int:
        return super().write(data)


@contextlib.contextmanager
def _full_disk_told() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if exc.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFullError(
            f"No space is left for the file in {tempfile.gettempdir()}. Free some and send it again."
        ) from exc

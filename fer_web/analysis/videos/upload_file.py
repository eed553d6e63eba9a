"""One file that comes over the network, on its way to the disk."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from fer_web.analysis.disk_space import full_disk_told

BLOCK_BYTES: Final = 1_000_000
"""Written at once, by another thread: the server's hub never waits for a disk."""


class UploadFile:
    """Takes a file's bytes in any portions; at most a block of them and a portion are in memory.

    It is closed by whoever made it, also after an error; removing the file is theirs too.
    """

    def __init__(
        self,
        path: Path,
        *,
        check_head: Callable[[bytes], object],
        head_bytes: int,
        check_size: Callable[[int], None],
        call: Callable[..., Any],
    ) -> None:
        """Make the file, mode 0600.

        Args:
            check_head: gets the first `head_bytes` as soon as they are there, or all; may raise.
            check_size: gets the size so far; may raise.
            call: runs a function that waits for the disk.
        Raises: DiskFullError.
        """
        self.size = 0
        self._check_head, self._head_bytes, self._check_size = check_head, head_bytes, check_size
        self._call = call
        self._waiting = bytearray()
        self._is_checked = False
        self._file = self._on_disk(lambda: _private_file(path))

    def write(self, data: bytes) -> int:
        """Take the next bytes. Raises what the checks raise, DiskFullError."""
        self.size += len(data)
        self._check_size(self.size)
        self._waiting += data
        if not self._is_checked and len(self._waiting) >= self._head_bytes:
            self._check()
        if len(self._waiting) >= BLOCK_BYTES:
            self._flush()
        return len(data)

    def finish(self) -> None:
        """All bytes came. Raises as `write`."""
        if not self._is_checked:
            self._check()
        self._flush()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def seek(self, _place: int) -> int:
        """Nothing: for form parsers, which go back to a file's start when they have it all."""
        return 0

    def _check(self) -> None:
        self._is_checked = True
        self._check_head(bytes(self._waiting[: self._head_bytes]))

    def _flush(self) -> None:
        block, self._waiting = bytes(self._waiting), bytearray()
        if block:
            self._on_disk(lambda: _write_all(self._file, block))

    def _on_disk(self, verb: Callable[[], Any]) -> Any:
        with full_disk_told():
            return self._call(verb)


def _private_file(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0)


def _write_all(file: Any, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]

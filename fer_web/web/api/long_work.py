"""Processes of their own read and import long sessions: what computes for seconds holds Python's lock."""

import contextlib
import io
import json
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from fer_web import errors
from fer_web.analysis.videos.child_program import ChildProgram
from fer_web.errors import DiskFullError, FerWebError, InternalError
from fer_web.web.api.long_program import DATA, END, HEAD
from fer_web.web.api.session_parts import PartsWanted

LONG_SAMPLES: Final = 20_000
"""A session with more samples is read by a process of its own: an hour of one face."""

LONG_IMPORT_BYTES: Final = 1_000_000
"""A longer file is imported by a process of its own."""

LONG_READS: Final = 2
"""Processes that read long sessions at the same time; further reads wait."""

_PROGRAM: Final = "fer_web.web.api.long_program"
_PART: Final = 262_144


class LongWork:
    """Processes that read and import long sessions. Thread-safe; everything blocks."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        """Args: as `open_engine`."""
        self._database = {"database_url": database_url, "data_dir": str(data_dir)}
        self._places = threading.Semaphore(LONG_READS)

    def read(self, wanted: PartsWanted) -> Iterator[bytes]:
        """Parts of an answer. A reader that is slow, or gone, holds a file, and no process.

        Raises: as `parts_of`. DiskFullError: the answer does not fit on the disk. InternalError.
        """
        spool = _Spool({**self._database, "wanted": wanted.to_wire()}, self._places)
        at = 0
        try:
            while part := spool.read(at):
                at += len(part)
                yield part
        finally:
            spool.close()

    def import_session(self, file: IO[bytes], owner: str) -> str:
        """Store what was exported; returns the session's id. Raises as `read_session` and the repository."""
        with _running({**self._database, "owner": owner}) as program:
            with contextlib.suppress(OSError):  # it ended: its message says why
                while part := file.read(_PART):
                    _write(program, part)
                program.stdin.close()
            return b"".join(_messages(program)).decode()


class _Spool:
    """An answer that a process writes into a file, read while it grows."""

    def __init__(self, order: dict[str, Any], places: threading.Semaphore) -> None:
        self._order, self._places = order, places
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed when both sides are done
        self._changed = threading.Condition()
        self._size = 0
        self._is_whole = self._is_closed = False
        self._error: FerWebError | None = None
        self._program: ChildProgram | None = None
        threading.Thread(target=self._fill, name="long-read", daemon=True).start()

    def read(self, at: int) -> bytes:
        """The next bytes from here on, b"" at the end; waits for them. Raises what the process told."""
        with self._changed:
            self._changed.wait_for(lambda: self._size > at or self._is_whole)
            if self._size > at:
                self._file.seek(at)
                return self._file.read(min(_PART, self._size - at))
            if self._error is not None:
                raise self._error
            return b""

    def close(self) -> None:
        """End the process and let the file go."""
        with self._changed:
            self._is_closed = True
            if self._program is not None:
                self._program.kill()
            if self._is_whole:
                self._file.close()

    def _fill(self) -> None:
        error: FerWebError | None = None
        try:
            with self._places:
                self._take_all()
        except FerWebError as exc:
            error = exc
        except OSError as exc:
            error = DiskFullError(
                f"The answer could not be kept in {tempfile.gettempdir()} ({exc.strerror})."
            )
        with self._changed:
            self._is_whole, self._error = True, error
            if self._is_closed:
                self._file.close()
            self._changed.notify_all()

    def _take_all(self) -> None:
        if self._is_closed:
            return
        with _running(self._order) as program:
            with self._changed:
                self._program = None if self._is_closed else program
            for part in _messages(program) if self._program else ():
                with self._changed:
                    self._file.seek(self._size)
                    self._file.write(part)
                    self._size += len(part)
                    self._changed.notify_all()


@contextlib.contextmanager
def _running(order: dict[str, Any]) -> Iterator[ChildProgram]:
    # By its standard input: other users see a command line, and a database's address has a password.
    program = ChildProgram(_PROGRAM, {})
    try:
        with contextlib.suppress(OSError):
            _write(program, json.dumps(order).encode() + b"\n")
        yield program
    finally:
        program.close()


def _write(program: ChildProgram, data: bytes) -> None:
    """All of it: an unbuffered pipe takes what it has room for."""
    left = memoryview(data)
    while left:
        left = left[program.stdin.write(left) :]


def _messages(program: ChildProgram) -> Iterator[bytes]:
    """The parts that it sends. Raises what it tells; InternalError: it ended before that."""
    with contextlib.closing(io.BufferedReader(program.stdout, 65_536)) as stdout:  # type: ignore[type-var]
        while (message := _message(stdout)) is not None:
            yield message


def _message(stdout: IO[bytes]) -> bytes | None:
    head = stdout.read(HEAD.size)
    kind, size = HEAD.unpack(head) if len(head) == HEAD.size else (b"", 0)
    content = stdout.read(size)
    if kind == END:
        return None
    if not kind or len(content) < size:
        raise InternalError("The process that read this session ended before its time. Try again.")
    if kind != DATA:
        name, text = json.loads(content)
        known: type[FerWebError] = getattr(errors, name, InternalError)
        raise known(text)
    return content

"""Large files that live no longer than the server: uploads, and what is made of them."""

import contextlib
import logging
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fer_web.errors import DiskFullError, SetupError

FOLDER: Final = "uploads"
MIN_FREE_BYTES: Final = 200_000_000
"""Left free on the disk by uploads: the history, and much else on the machine, needs some too."""

LOCK: Final = "in-use"
"""An empty file in a process's folder, which it holds locked."""

_START_WAIT_S: Final = 10.0
_log = logging.getLogger(__name__)


class ScratchFolder:
    """A folder of this process, readable by its user alone; it is removed in the end, or at the next start.

    Several servers may have the same data folder: each holds a lock in its own, which the system takes away
    however the process ends. Thread-safe.
    """

    def __init__(self, data_dir: Path, free_bytes: Callable[[Path], int] | None = None) -> None:
        """Args: free_bytes: of the disk that a path is on."""
        self._root = data_dir / FOLDER
        self._free_bytes = free_bytes or (lambda path: shutil.disk_usage(path).free)
        self._promised: dict[object, int] = {}
        self._guard = threading.Lock()
        self._lock: sqlite3.Connection | None = None
        self._own: Path | None = None

    def open(self) -> None:
        """Make it, and remove those of processes that are gone. Raises SetupError: it cannot be made."""
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._root.chmod(0o700)
            with contextlib.closing(_locked(self._root / "starting", _START_WAIT_S)):
                self._remove_left()
                self._own = Path(tempfile.mkdtemp(prefix="run-", dir=self._root))
                self._lock = _locked(self._own / LOCK)
        except (OSError, sqlite3.Error) as exc:
            raise SetupError(
                f"The folder for uploads {self._root} cannot be used ({exc}). Mend that, or name another "
                "data folder with --data-dir."
            ) from exc

    def close(self) -> None:
        """Remove it with all that is in it."""
        if self._lock is not None:
            self._lock.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def new_folder(self) -> Path:
        """An empty folder in it. Raises DiskFullError: there cannot be one now."""
        if self._own is None:
            raise RuntimeError("the scratch folder was not opened")
        try:
            return Path(tempfile.mkdtemp(dir=self._own))
        except OSError as exc:
            raise DiskFullError(f"The server cannot take files now ({exc.strerror}). Tell its host.") from exc

    @contextlib.contextmanager
    def room_for(self, size: int) -> Iterator[None]:
        """Keep so many bytes of the disk for a file that is about to be written.

        Raises: DiskFullError: there are less, with what was promised to others.
        """
        key = object()
        with self._guard:
            free = self._free_bytes(self._root) - sum(self._promised.values()) - MIN_FREE_BYTES
            if size > free:
                raise DiskFullError(
                    f"The file has {size / 1e6:.0f} MB, and the server's disk has room for "
                    f"{max(0, free) / 1e6:.0f} MB. Send a smaller one, or free some space there."
                )
            self._promised[key] = size
        try:
            yield
        finally:
            with self._guard:
                del self._promised[key]

    def _remove_left(self) -> None:
        for folder in self._root.glob("run-*"):
            try:
                _locked(folder / LOCK).close()
            except sqlite3.OperationalError:
                continue  # another server's
            except OSError as exc:
                _log.warning("%s was left behind and cannot be removed: %s", folder, exc)
                continue
            shutil.rmtree(folder, ignore_errors=True)


def _locked(path: Path, wait_s: float = 0.0) -> sqlite3.Connection:
    """An exclusive lock, until the connection is closed: SQLite knows how to on every system.

    Raises: sqlite3.OperationalError: somebody else has it.
    """
    connection = sqlite3.connect(path, timeout=wait_s, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection

"""Large files of the server, uploads and what is made of them: they live as long as a job needs them."""

import contextlib
import logging
import secrets
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fer_web.errors import DiskFullError, SetupError

FOLDER: Final = "uploads"
MIN_FREE_BYTES: Final = 200_000_000
"""Left free on the disk by uploads: the history, and much else on the machine, needs some too."""

SHARED: Final = "shared"
"""A folder that servers and the workers of other processes have together."""

LOCK: Final = "in-use"
"""An empty file in a process's folder, which it holds locked."""

PLACE: Final = "place"
"""A file with the name of the place: several servers may share a database, and have files of their own."""

_START_WAIT_S: Final = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FoundFolders:
    """What is there by name: `ours` were left and are this process's now, `others` are of living ones."""

    ours: dict[str, Path] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


class ScratchFolder:
    """A folder of this process, readable by its user alone; what no job needs goes in the end.

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

    def open(self, wanted: Callable[[str], Collection[str]] = lambda _place: ()) -> FoundFolders:
        """Make it, and take over what is wanted of processes that are gone; the rest of theirs is removed.

        Args: wanted: names of folders, for the name of this place.
        Raises: SetupError: it cannot be made. What `wanted` raises.
        """
        try:
            self._make_root()
            with contextlib.closing(_locked(self._root / "starting", _START_WAIT_S)):
                self._own = Path(tempfile.mkdtemp(prefix="run-", dir=self._root))
                self._lock = _locked(self._own / LOCK)
                return self._take_over(self._own, set(wanted(self.place())))
        except (OSError, sqlite3.Error) as exc:
            raise self._unusable(exc) from exc

    def close(self, kept: Collection[str] = ()) -> None:
        """Remove it with all that is in it, but for the folders of these names: the next start takes them."""
        if self._own is None or not self._own.is_dir():
            return
        left = [path for path in self._own.iterdir() if path.is_dir() and path.name in kept]
        if left:
            for path in self._own.iterdir():
                if path.is_dir() and path not in left:
                    shutil.rmtree(path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
        if not left:
            shutil.rmtree(self._own, ignore_errors=True)

    def open_shared(self) -> Path:
        """Make the folder that servers and workers share, and return it. Raises SetupError."""
        try:
            self._make_root()
            with contextlib.closing(_locked(self._root / "starting", _START_WAIT_S)):
                self.place()
            self._own = self._root / SHARED
            self._own.mkdir(exist_ok=True, mode=0o700)
        except (OSError, sqlite3.Error) as exc:
            raise self._unusable(exc) from exc
        return self._own

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

    def _make_root(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._root.chmod(0o700)

    def _unusable(self, exc: Exception) -> SetupError:
        return SetupError(
            f"The folder for uploads {self._root} cannot be used ({exc}). Mend that, or name another "
            "data folder with --data-dir."
        )

    def place(self) -> str:
        """A name of the folder that all who use it know it by."""
        path = self._root / PLACE
        if not path.exists():
            path.write_text(secrets.token_hex(8), encoding="ascii")
        return path.read_text(encoding="ascii").strip()

    def _take_over(self, own: Path, wanted: set[str]) -> FoundFolders:
        ours: dict[str, Path] = {}
        others: set[str] = set()
        for folder in self._root.glob("run-*"):
            if folder == own:
                continue
            try:
                _locked(folder / LOCK).close()
            except sqlite3.OperationalError:  # another server's
                others.update(path.name for path in folder.iterdir() if path.is_dir())
                continue
            except OSError as exc:
                _log.warning("%s was left behind and cannot be removed: %s", folder, exc)
                continue
            for path in folder.iterdir():
                if path.is_dir() and path.name in wanted:
                    ours[path.name] = path.rename(own / path.name)
            shutil.rmtree(folder, ignore_errors=True)
        return FoundFolders(ours, frozenset(others))


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

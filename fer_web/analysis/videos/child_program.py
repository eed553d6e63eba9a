"""Programs of ours that run FFmpeg's libraries in a process of their own.

A file that hangs or crashes them, or makes them take all memory, ends that process alone.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Final

from fer_web.interrupts import interrupt_waits

PATIENCE_S: Final = 60.0
"""A frame is decoded or encoded in this time, or the process is ended."""

_LOOK_S: Final = 0.5
_ROOT: Final = str(Path(__file__).resolve().parents[3])
# -P and an absolute path: what lies in the current folder is not imported.
_BOOT: Final = (
    "import sys, importlib; sys.path.insert(0, sys.argv[1]); importlib.import_module(sys.argv[2]).main()"
)


def memory_bytes(max_pixels: int) -> int:
    """What such a process may take: room for the libraries, and 40 frames of 6 bytes a pixel."""
    return 1_500_000_000 + 250 * max_pixels


class ChildProgram:
    """A module's `main` in a process of its own. It reads its order from the command line, as JSON.

    Attributes: stdin, stdout: its pipes, unbuffered.
    """

    def __init__(
        self, module: str, order: dict[str, Any], errors: Any = None, pass_fds: tuple[int, ...] = ()
    ) -> None:
        command = [sys.executable, "-P", "-c", _BOOT, _ROOT, module, json.dumps(order)]
        process: subprocess.Popen[bytes] | None = None
        try:
            # A process that nobody knows of yet could not be ended.
            with interrupt_waits():
                # A session of its own: Ctrl-C is for us, who then end it.
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL if errors is None else errors,
                    bufsize=0,
                    pass_fds=pass_fds,
                    start_new_session=True,
                )
        except KeyboardInterrupt:
            if process:
                process.kill()
            raise
        self._process = process
        self.is_late = False
        self._waits_since: float | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._watch, name="child-program", daemon=True).start()

    @property
    def stdin(self) -> IO[bytes]:
        """What it reads."""
        return self._process.stdin  # type: ignore[return-value]

    @property
    def stdout(self) -> IO[bytes]:
        """What it writes."""
        return self._process.stdout  # type: ignore[return-value]

    @property
    def status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    @contextlib.contextmanager
    def awaited(self) -> Any:
        """Within this it has PATIENCE_S; then it is killed, and `is_late`."""
        self._waits_since = time.monotonic()
        try:
            yield
        finally:
            self._waits_since = None

    def wait(self) -> int:
        """Wait for its end; returns its exit status."""
        with self.awaited():
            return self._process.wait()

    def kill(self) -> None:
        """End it at once. Whoever reads from it meets the end of its output."""
        self._ended.set()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it and let its pipes go; nobody reads or writes any more."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was buffered has nowhere to go
                    pipe.close()

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK_S) and self._process.poll() is None:
            since = self._waits_since
            if since is not None and time.monotonic() - since > PATIENCE_S:
                self.is_late = True
                self._process.kill()


def keep_within(limit_bytes: int) -> None:
    """The program itself may take so much memory, and goes first where the machine has none left.

    Linux alone counts what is really taken; elsewhere nothing is bounded.
    """
    if sys.platform != "linux":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = limit_bytes if most == resource.RLIM_INFINITY else min(limit_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800")


def end_with_parent(pipe: IO[bytes], got: Any = None) -> None:
    """The program itself ends when `pipe` does. `got` is called for each byte that comes."""

    def follow() -> None:
        while data := pipe.read(1):
            if got:
                got(data)
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()

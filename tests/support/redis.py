"""Redis for tests, found or installed: python -m tests.support.redis --install."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_TIMEOUT_S = 60


def require_program():
    """Path of redis-server. Raises RuntimeError, with what to do, where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError(
            "No Redis was found and none could be installed, so several processes cannot be tested together. "
            "Install it (Debian: apt-get install redis-server) and run make test again."
        )
    return program


def install_program():
    """Find Redis, or install Debian's where we are root."""
    if not shutil.which("redis-server") and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's redis-server for the tests of several processes", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", "redis-server"],
        ):
            subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)
    return require_program()


class RedisServer:
    """A server of its own that stores nothing, on a free port of this machine; a context manager."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="fer-redis-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()
        return self

    def __exit__(self, *_exception):
        self.stop()
        self._folder.cleanup()

    def start(self):
        """Start it, at the same port as before."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            [require_program(), *options], cwd=self._folder.name, stdout=subprocess.DEVNULL
        )
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("Redis did not start.")

    def stop(self):
        """Stop it; what was connected is cut."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(60)

    def freeze(self):
        """It holds its connections and answers no more, until it is thawed."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """It goes on."""
        self._process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    install_program() if sys.argv[1:] == ["--install"] else require_program()

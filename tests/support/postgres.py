"""PostgreSQL for tests, found or installed: python -m tests.support.postgres --install."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from sqlalchemy import create_engine, text

START_TIMEOUT_S = 180
USER, PASSWORD = "fer", "a secret/with:signs@"
QUOTED_PASSWORD = "a%20secret%2Fwith%3Asigns%40"


def find_programs() -> Path | None:
    """Folder with initdb and postgres; the newest where there are several."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    candidates = [*reversed(debian), *([Path(on_path).resolve().parent] if on_path else [])]
    return next((path for path in candidates if (path / "initdb").exists()), None)


def require_programs() -> Path:
    """As find_programs. Raises RuntimeError, with what to do, where there are none."""
    folder = find_programs()
    if folder is None:
        raise RuntimeError(
            "No PostgreSQL was found and none could be installed, so the history cannot be tested on it. "
            "Install it (Debian: apt-get install postgresql) and run make test again."
        )
    return folder


def install_programs() -> Path:
    """Find PostgreSQL, or install Debian's where we are root."""
    if find_programs() is None and shutil.which("apt-get") and _is_root():
        print("Installing Debian's postgresql for the tests of the history", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "postgresql"]):
            subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)
    return require_programs()


class PostgresServer:
    """A server of its own in a folder of its own, on a free port of this machine; a context manager."""

    def __enter__(self):
        self._programs = require_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="fer-postgres-"))
        self._numbers = itertools.count()
        try:
            self._initialise()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        if hasattr(self, "_process"):
            # All is thrown away.
            self._stop()
        shutil.rmtree(self._folder)

    def url(self, database="postgres"):
        return f"postgresql://{USER}:{QUOTED_PASSWORD}@127.0.0.1:{self._port}/{database}"

    def new_database(self):
        """Address of an empty database."""
        name = f"test{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    @contextlib.contextmanager
    def stopped(self):
        """Within this, the server is gone; after it, it runs at the same port."""
        self._stop()
        try:
            yield
        finally:
            self._start(self._port)

    def _stop(self):
        # Its own word for: stop now. It writes nothing out, and what was committed comes back from its log.
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(60)

    @contextlib.contextmanager
    def frozen(self):
        """Within this, the server and all its processes stand still; the system keeps their connections."""
        parent = psutil.Process(self._process.pid)
        processes = [parent, *parent.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def run(self, statement):
        """Run a statement as the owner of all, outside any transaction."""
        engine = create_engine(self.url().replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _initialise(self):
        password_file = self._folder / "password"
        password_file.write_text(PASSWORD)
        for path in (self._folder, password_file):
            if _is_root():  # initdb and postgres refuse to be root
                shutil.chown(path, "postgres", "postgres")
        arguments = [
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            f"--username={USER}",
            "--auth=scram-sha-256",
        ]
        arguments += [f"--pwfile={password_file}", "-D", self._folder / "data"]
        subprocess.run(
            [self._programs / "initdb", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **_unprivileged(),
        )

    def _start(self, port=None):
        self._port = port or _free_port()
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self._port), *arguments],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **_unprivileged(),
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start:\n" + (self._folder / "log").read_text())
            time.sleep(0.05)

    def _is_ready(self):
        run = subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port)], check=False
        )
        return run.returncode == 0


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _unprivileged():
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if _is_root() else {}


def _free_port():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return listener.getsockname()[1]


if __name__ == "__main__":
    try:
        print(install_programs() if "--install" in sys.argv else require_programs())
    except RuntimeError as exc:
        sys.exit(str(exc))

"""A real server process for tests, on a free port of this machine, stopped by its process id."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 25
"""Less than the 30 s that a server waits for a request: who has begun one must not hold up its end."""


class ServerProcess:
    """`python app.py --port 0 ...` as a context manager."""

    PROGRAM = ("app.py",)

    def __init__(self, *arguments, port=0, open_files=None, data_dir=None, within=(), environment=None):
        """Args:
        open_files: limit on the files that the process may have open.
        data_dir: folder of its history; by default one of its own, removed at the end.
        within: a command that runs the server's, such as that of a network namespace.
        environment: variables that it gets beside this process's own.
        """
        self._own_data_dir = None if data_dir else tempfile.TemporaryDirectory()
        self.data_dir = Path(data_dir or self._own_data_dir.name)
        self._arguments = arguments
        self._port = port
        self._within = within
        self._environment = environment or {}
        self._open_files = open_files
        self.url = None
        self.share_urls = []
        self.output = []

    def __enter__(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FER_")}
        environment["FER_DATA_DIR"] = str(self.data_dir)
        environment["PYTHONFAULTHANDLER"] = "1"
        environment |= self._environment
        self._process = subprocess.Popen(
            [*self._within, sys.executable, *self.PROGRAM, "--port", str(self._port), *self._arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        if self._open_files is not None:
            psutil.Process(self._process.pid).rlimit(
                psutil.RLIMIT_NOFILE, (self._open_files, self._open_files)
            )
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        if not self._is_ready.wait(START_TIMEOUT_S) or self.url is None:
            self.__exit__()
            raise RuntimeError("The server did not start:\n" + "".join(self.output))
        return self

    def __exit__(self, *_exception):
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self._close()

    def _close(self):
        self._reader.join(60)
        self._process.stdout.close()
        self._process.stdin.close()
        if self._own_data_dir is not None:
            self._own_data_dir.cleanup()

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    @property
    def share_port(self):
        """Port of HTTPS, of a server that shares."""
        sockets = psutil.Process(self._process.pid).net_connections("tcp")
        (port,) = {item.laddr.port for item in sockets if item.status == psutil.CONN_LISTEN} - {self.port}
        return port

    @property
    def pid(self):
        return self._process.pid

    @property
    def memory_mb(self):
        return psutil.Process(self._process.pid).memory_info().rss / 1e6

    @property
    def cpu_s(self):
        """Processor time that the process has used."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def tell(self, command):
        """Write a line to the process's standard input."""
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def loaded_modules(self):
        """Shared libraries in the process: says what was imported, without asking the process."""
        return {Path(entry.path).name for entry in psutil.Process(self._process.pid).memory_maps()}

    def written_bytes(self):
        """Bytes that the process has sent to disks so far (Linux)."""
        return psutil.Process(self._process.pid).io_counters().write_bytes

    def writable_files(self):
        """Paths of the files that the process has open for writing."""
        files = psutil.Process(self._process.pid).open_files()
        return [file.path for file in files if file.mode not in ("r", "rb")]

    def wait_for_line(self, pattern, timeout_s=60):
        """The match of a line of output, printed already or soon."""
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            for line in list(self.output):
                if match := re.search(pattern, line):
                    return match
            time.sleep(0.02)
        raise TimeoutError(f"No line with {pattern} came:\n{''.join(self.output)}")

    def stop(self, timeout_s=STOP_TIMEOUT_S):
        """Ask the process to end; returns its exit status. One that does not says where its threads are."""
        self._process.terminate()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as exc:
            self._process.send_signal(signal.SIGABRT)
            self._process.wait(60)
            self._reader.join(60)
            output = "".join(self.output)
            raise AssertionError(f"The server did not end within {timeout_s} s:\n{output}") from exc

    def kill(self):
        """End the process as a power cut would."""
        self._process.kill()
        self._process.wait(60)

    def _read(self):
        for line in self._process.stdout:
            self.output.append(line)
            if match := re.search(r"^Shared at (https://\S+?),? ", line):
                self.share_urls.append(match.group(1))
            if match := re.search(r"open (http://[^/\s]+)", line):
                self.url = match.group(1)
                self._is_ready.set()
        self._is_ready.set()

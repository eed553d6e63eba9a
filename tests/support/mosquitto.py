"""Mosquitto for tests, found or installed: python -m tests.support.mosquitto --install."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_TIMEOUT_S = 60
USER, PASSWORD = "fer", "a secret:with#signs"


def find_program() -> Path | None:
    """The broker; Debian puts it where only root's PATH leads."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found else None


def require_program() -> Path:
    """As find_program. Raises RuntimeError, with what to do, where there is none."""
    program = find_program()
    if program is None:
        raise RuntimeError(
            "No mosquitto was found and none could be installed, so MQTT cannot be tested. "
            "Install it (Debian: apt-get install mosquitto) and run make test again."
        )
    return program


def install_program() -> Path:
    """Find mosquitto, or install Debian's where we are root. Its own service is not started."""
    if find_program() is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's mosquitto for the tests of MQTT", flush=True)
        # RUNLEVEL keeps Debian's scripts from starting a service of their own.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "mosquitto"]):
            subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)
    return require_program()


class Mosquitto:
    """A broker of its own on a free port of this machine, with one user; a context manager."""

    def __init__(self, port=0):
        self.port = port or _free_port()

    def __enter__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="fer-mosquitto-"))
        self._write_files()
        self.start()
        return self

    def __exit__(self, *_exception):
        self.stop()
        shutil.rmtree(self._folder)

    def start(self):
        """Run the broker; it answers when this returns."""
        with (self._folder / "log").open("wb") as log:
            command = [require_program(), "-c", self._folder / "mosquitto.conf"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("mosquitto did not start:\n" + (self._folder / "log").read_text())
            time.sleep(0.05)

    def stop(self):
        """End the broker, also one that hangs."""
        self.go_on()
        self._process.terminate()
        self._process.wait(60)

    def hang(self):
        """Let it take connections and bytes, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        """Let it answer again."""
        self._process.send_signal(signal.SIGCONT)

    def _write_files(self):
        passwords = self._folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, USER, PASSWORD], check=True)
        lines = [f"listener {self.port} 127.0.0.1", f"password_file {passwords}", "allow_anonymous false"]
        if os.geteuid() == 0:
            lines.append("user root")  # of the folder
        (self._folder / "mosquitto.conf").write_text("\n".join([*lines, ""]))

    def _is_ready(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


if __name__ == "__main__":
    try:
        print(install_program() if "--install" in sys.argv else require_program())
    except RuntimeError as exc:
        sys.exit(str(exc))

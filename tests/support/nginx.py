"""nginx for tests, found or installed: python -m tests.support.nginx --install."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.servers import ROOT

CONFIGURATION = ROOT / "examples" / "deploy" / "nginx.conf"
START_TIMEOUT_S = 60


def require_program():
    """Path of nginx. Raises RuntimeError, with what to do, where there is none."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise RuntimeError(
            "No nginx was found and none could be installed, so nothing can be tested behind it. "
            "Install it (Debian: apt-get install nginx-light) and run make test again."
        )
    return program


def install_program():
    """Find nginx, or install Debian's where we are root."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    if not shutil.which("nginx", path=path) and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Debian's nginx-light for the tests of several processes", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (
            ["update", "-qq"],
            ["install", "-y", "-qq", "--no-install-recommends", "nginx-light"],
        ):
            subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL, check=False)
    return require_program()


class NginxServer:
    """The shipped configuration with a test's ports, by plain HTTP; a context manager."""

    def __init__(self, ports, base_path=""):
        """Args: ports: of the two processes. base_path: as --base-path."""
        self._ports = ports
        self._base_path = base_path

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="fer-nginx-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        path = Path(self._folder.name, "nginx.conf")
        text = adapted(self.port, self._ports, Path(self._folder.name))
        path.write_text(text.replace("location / {", f"location {self._base_path}/ {{", 1))
        self._process = subprocess.Popen(
            [require_program(), "-p", self._folder.name, "-c", str(path), "-g", "daemon off;"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.__exit__()
        raise RuntimeError("nginx did not start: " + self.log)

    def __exit__(self, *_exception):
        self._process.terminate()
        self.log = self._process.communicate(timeout=60)[0]
        self._folder.cleanup()


def adapted(port, ports, folder, certificate=None):
    """The shipped configuration for these ports and this folder.

    Args: certificate: paths of a chain and a key; None is plain HTTP.
    """
    text = CONFIGURATION.read_text().replace("/tmp/fer-web-nginx.pid", str(folder / "pid"))
    for shipped, own in zip((5001, 5002), ports, strict=True):
        text = text.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{own}")
    text = re.sub(r"\n *listen \[.*", "", text)
    if certificate is None:
        text = re.sub(r"\n *ssl_.*", "", text).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    else:
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        text = re.sub(r"(ssl_certificate )[^;]*", rf"\g<1>{certificate[0]}", text)
        text = re.sub(r"(ssl_certificate_key )[^;]*", rf"\g<1>{certificate[1]}", text)
    # Debian's own folders for bodies that wait belong to root.
    bodies = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return text.replace("http {", f"http {{ {bodies}", 1)


if __name__ == "__main__":
    install_program() if sys.argv[1:] == ["--install"] else require_program()
